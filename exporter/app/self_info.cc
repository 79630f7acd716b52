#include "exporter/app/self_info.h"

#include <dirent.h>

#include <array>
#include <fstream>
#include <memory>

#include "exporter/app/settings.h"

namespace spire_exporter {
namespace {

constexpr std::string_view kSource = "the exporter itself";

constexpr std::array kRoleLabels = {
    LabelDescription{"role", "what it stands beside", kRoles},
    LabelDescription{"trust_domain", "as configured, absent when not"}};
constexpr std::array kThreadLabels = {
    LabelDescription{"thread", "the thread's name in the kernel"}};

constexpr FamilyDescription kRole{
    .name = "spire_exporter_role_info",
    .type = MetricType::kInfo,
    .labels = kRoleLabels,
    .help =
        "What this exporter stands beside; join with it instead of repeating the "
        "trust domain on every series.",
    .source = kSource,
    .stability = Stability::kStable};
constexpr FamilyDescription kThreads{.name = "spire_exporter_threads",
                                     .labels = kThreadLabels,
                                     .help = "Threads of the process by name.",
                                     .source = "/proc/self/task",
                                     .series_max = 80,
                                     .detail = Detail::kFull};

constexpr std::array<const FamilyDescription*, 2> kFamilies = {&kRole, &kThreads};

}  // namespace

std::span<const FamilyDescription* const> SelfInfoFamilies() {
  return kFamilies;
}

void AddSelfInfo(Role role, std::string_view trust_domain, FamilyBuilder& families) {
  families.AddInfo(kRole, {RoleName(role), trust_domain});
  for (const auto& [name, count] : ThreadsByName()) families.Add(kThreads, {name}, count);
}

std::map<std::string, int> ThreadsByName() {
  std::map<std::string, int> threads;
  const std::unique_ptr<DIR, int (*)(DIR*)> tasks(::opendir("/proc/self/task"), &::closedir);
  if (!tasks) return threads;
  while (const dirent* task = ::readdir(tasks.get())) {
    if (task->d_name[0] == '.') continue;
    std::ifstream comm(std::string("/proc/self/task/") + task->d_name + "/comm");
    std::string name;
    if (std::getline(comm, name) && !name.empty()) ++threads[name];
  }
  return threads;
}

}  // namespace spire_exporter
