#include <utility>

#include "collectors/clients/spire/channel.h"
#include "collectors/clients/spire/workload_api.h"
#include "collectors/clients/workload/workload_certificates.h"

namespace spire_exporter {

Result<std::shared_ptr<WorkloadCertificates>> WorkloadCertificates::OverSocket(
    const std::string& socket, const Clock& clock, std::function<void()> changed) {
  auto channel = spire::Channel::ToSocket(socket);
  if (!channel.ok()) return channel.error();
  spire::WorkloadApi api(*std::move(channel));
  return std::make_shared<WorkloadCertificates>(
      [api = std::move(api), &clock](
          const std::stop_token& stop,
          const std::function<void(Result<spire::X509Context>)>& handler) {
        api.WatchX509Svid(stop, clock, handler);
      },
      clock, std::move(changed));
}

}  // namespace spire_exporter
