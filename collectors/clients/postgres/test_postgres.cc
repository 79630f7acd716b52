#include "collectors/clients/postgres/test_postgres.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "exporter/base/text.h"
#include "exporter/base/unique_fd.h"

namespace spire_exporter::pg {
namespace {

namespace fs = std::filesystem;

Error Failed(std::string what) {
  return {Code::kInternal, std::move(what), "", false};
}

std::string FindPrograms() {
  if (const char* given = std::getenv("PG_BIN_DIR")) return given;
  std::string best;
  int newest = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    const int major = std::atoi(entry.path().filename().c_str());
    if (major > newest && fs::exists(entry.path() / "bin/initdb")) {
      newest = major;
      best = entry.path() / "bin";
    }
  }
  return best;
}

const passwd* Unprivileged() {
  if (geteuid() != 0) return nullptr;
  const passwd* user = getpwnam("postgres");
  return user != nullptr ? user : getpwnam("nobody");
}

uint16_t FreePort() {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) return 0;
  getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

// A shell's command as the unprivileged user, with its output going to `output`.
pid_t Spawn(const std::string& command, const std::string& directory, int output) {
  const passwd* user = Unprivileged();
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid != 0) return pid;
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  if (user != nullptr &&
      (setgroups(0, nullptr) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)) {
    _exit(126);
  }
  // SIGQUIT: the server ends at once and takes its backends along. Set after setuid(), which
  // forgets it.
  prctl(PR_SET_PDEATHSIG, SIGQUIT);
  if (getppid() != parent || chdir(directory.c_str()) != 0) _exit(126);
  execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
  _exit(127);
}

int WaitFor(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

// A server and its backends, each of which leads a session of its own.
std::vector<pid_t> Family(pid_t server) {
  std::vector<pid_t> all = {server};
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid == 0) continue;
    std::ifstream file(entry.path() / "stat");
    std::string line;
    std::getline(file, line);
    const size_t name_end = line.rfind(')');
    if (name_end == std::string::npos) continue;
    std::istringstream rest(line.substr(name_end + 2));
    std::string state;
    pid_t parent = 0;
    rest >> state >> parent;
    if (parent == server) all.push_back(pid);
  }
  return all;
}

std::string ShellQuoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

Status TestPostgres::MakeDirectory() {
  bin_ = FindPrograms();
  if (bin_.empty()) return Failed("PostgreSQL is missing: install the package postgresql");
  std::string pattern = "/tmp/spire-exporter-pg.XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) return Failed("mkdtemp: " + ErrnoText(errno));
  directory_ = pattern;
  if (const passwd* user = Unprivileged();
      user != nullptr && chown(directory_.c_str(), user->pw_uid, user->pw_gid) != 0) {
    return Failed("chown: " + ErrnoText(errno));
  }
  port_ = FreePort();
  std::string version;
  if (Status status = Tool("postgres", "--version", &version); !status.ok()) return status;
  const size_t digit = version.find_first_of("0123456789");
  major_ = digit == std::string::npos ? 0 : std::atoi(version.c_str() + digit);
  return {};
}

Status TestPostgres::Tool(const std::string& program, const std::string& arguments,
                          std::string* output) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Failed("pipe: " + ErrnoText(errno));
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  const pid_t pid = Spawn("exec " + bin_ + "/" + program + " " + arguments, directory_, ends[1]);
  writer.Reset();
  std::string text;
  char part[4096];
  for (ssize_t got = 0; (got = read(reader.get(), part, sizeof(part))) > 0;) {
    text.append(part, static_cast<size_t>(got));
  }
  const int code = WaitFor(pid);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  if (output != nullptr) *output = text;
  if (code != 0) return Failed(program + ": exit code " + std::to_string(code) + ": " + text);
  return {};
}

Status TestPostgres::Run() {
  const std::string log = directory_ + "/log";
  const UniqueFd file(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  pid_ = Spawn("exec " + bin_ + "/postgres -D " + directory_ + "/data -p " + std::to_string(port_),
               directory_, file.get());
  const RealClock clock;
  const Deadline deadline = Deadline::After(clock, std::chrono::seconds(30));
  std::string output;
  while (!Tool("psql",
               "-XAtq -h 127.0.0.1 -U postgres -d postgres -p " + std::to_string(port_) +
                   " -c 'SELECT 1'",
               &output)
              .ok()) {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = 0;
      std::ifstream in(log);
      std::stringstream said;
      said << in.rdbuf();
      return Failed("postgres ended: " + said.str());
    }
    if (deadline.Passed(clock)) return Failed("postgres does not answer: " + output);
    poll(nullptr, 0, 20);
  }
  return {};
}

Result<std::unique_ptr<TestPostgres>> TestPostgres::Start(const std::string& settings) {
  std::unique_ptr<TestPostgres> server(new TestPostgres);
  if (Status made = server->MakeDirectory(); !made.ok()) return made.error();
  if (Status made = server->Tool(
          "initdb", "-D data -U postgres -A trust -E UTF8 --locale=C --no-sync", nullptr);
      !made.ok()) {
    return made.error();
  }
  std::ofstream(server->directory_ + "/data/postgresql.conf", std::ios::app)
      << "listen_addresses = '127.0.0.1'\nunix_socket_directories = '" << server->directory_
      << "'\nfsync = off\nshared_buffers = 16MB\nwal_level = replica\nmax_wal_senders = 8\n"
         "max_replication_slots = 8\nhot_standby = on\nmax_prepared_transactions = 4\n"
         "wal_receiver_status_interval = 1s\nautovacuum_naptime = 1h\n"
      << settings << "\n";
  if (Status run = server->Run(); !run.ok()) return run.error();
  if (Status made = server->Tool(
          "createdb", "-h 127.0.0.1 -U postgres -p " + std::to_string(server->port_) + " test",
          nullptr);
      !made.ok()) {
    return made.error();
  }
  return server;
}

Result<std::unique_ptr<TestPostgres>> TestPostgres::MakeStandby(TestPostgres& primary,
                                                                const std::string& slot,
                                                                const std::string& settings,
                                                                uint16_t via_port) {
  std::unique_ptr<TestPostgres> server(new TestPostgres);
  if (Status made = server->MakeDirectory(); !made.ok()) return made.error();
  if (Status made =
          server->Tool("pg_basebackup",
                       "-D data -h 127.0.0.1 -U postgres -p " + std::to_string(primary.port_) +
                           " -C -S " + slot + " -R -X stream -c fast --no-sync",
                       nullptr);
      !made.ok()) {
    return made.error();
  }
  std::ofstream(server->directory_ + "/data/postgresql.conf", std::ios::app)
      << "unix_socket_directories = '" << server->directory_ << "'\n"
      << settings << "\n";
  if (via_port != 0) {
    std::ofstream(server->directory_ + "/data/postgresql.auto.conf", std::ios::app)
        << "primary_conninfo = 'host=127.0.0.1 user=postgres application_name=" << slot
        << " port=" << via_port << "'\n";
  }
  if (Status run = server->Run(); !run.ok()) return run.error();
  return server;
}

TestPostgres::~TestPostgres() {
  if (pid_ > 0) {
    Thaw();
    if (!Stop().ok()) kill(pid_, SIGKILL);
  }
  std::error_code ignored;
  if (!directory_.empty()) fs::remove_all(directory_, ignored);
}

std::string TestPostgres::conninfo(const std::string& user) const {
  return "host=127.0.0.1 port=" + std::to_string(port_) + " dbname=test user=" + user +
         " sslmode=disable";
}

std::string TestPostgres::ConninfoFile(const std::string& user) const {
  const std::string path = directory_ + "/" + user + ".conninfo";
  std::ofstream(path) << conninfo(user) << "\n";
  return path;
}

Result<std::string> TestPostgres::Sql(const std::string& statements, const std::string& user) {
  std::string output;
  const Status ran = Tool("psql",
                          "-XAtq -v ON_ERROR_STOP=1 -h 127.0.0.1 -d test -U " + ShellQuoted(user) +
                              " -p " + std::to_string(port_) + " <<'END_OF_STATEMENTS'\n" +
                              statements + "\nEND_OF_STATEMENTS",
                          &output);
  if (!ran.ok()) return ran.error();
  return output;
}

Status TestPostgres::Stop() {
  if (pid_ <= 0) return {};
  kill(pid_, SIGQUIT);
  WaitFor(pid_);
  pid_ = 0;
  return {};
}

Status TestPostgres::Resume() {
  return Run();
}

Status TestPostgres::Promote() {
  return Tool("pg_ctl", "promote -w -D data", nullptr);
}

void TestPostgres::Freeze() {
  if (pid_ <= 0) return;
  for (const pid_t pid : Family(pid_)) kill(pid, SIGSTOP);
}

void TestPostgres::Thaw() {
  if (pid_ <= 0) return;
  for (const pid_t pid : Family(pid_)) kill(pid, SIGCONT);
}

}  // namespace spire_exporter::pg
