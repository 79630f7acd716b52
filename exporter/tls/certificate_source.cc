#include "exporter/tls/certificate_source.h"

#include <cerrno>
#include <cstdio>
#include <memory>

#include "exporter/base/text.h"
#include "exporter/tls/tls_context.h"

namespace spire_exporter {
namespace {

constexpr size_t kFileMax = size_t{1} << 20;

Status ReadPem(const PemSource& source, const char* key, std::string* text, std::string* name) {
  *name = source.file.empty() ? key : source.file;
  *text = source.inline_text;
  if (source.file.empty()) return {};
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(source.file.c_str(), "rbe"),
                                                             &std::fclose);
  if (file == nullptr) {
    return Error{Code::kNotFound, source.file + ": " + ErrnoText(errno), "", true};
  }
  text->resize(kFileMax + 1);
  const size_t got = std::fread(text->data(), 1, text->size(), file.get());
  if (std::ferror(file.get()) != 0) {
    return Error{Code::kUnavailable, source.file + ": " + ErrnoText(errno), "", true};
  }
  if (got > kFileMax) {
    return Error{Code::kInvalidArgument, source.file + ": larger than 1 MiB", "", false};
  }
  text->resize(got);
  return {};
}

}  // namespace

Result<TlsMaterial> FileCertificates::Load() {
  TlsMaterial found;
  Status read =
      ReadPem(certificate_, "tls_server_config.cert", &found.certificate, &found.certificate_name);
  if (read.ok()) read = ReadPem(key_, "tls_server_config.key", &found.key, &found.key_name);
  if (read.ok()) {
    read =
        ReadPem(client_ca_, "tls_server_config.client_ca", &found.client_ca, &found.client_ca_name);
  }
  if (!read.ok()) return read.error();
  return found;
}

Result<TlsMaterial> FallbackCertificates::Load() {
  Result<TlsMaterial> first = first_->Load();
  if (first.ok()) {
    const std::optional<ValidityTime> validity = ValidityOfPem(first->certificate);
    if (!validity || UnixSeconds(clock_.System()) < validity->not_after_seconds) return first;
  }
  Result<TlsMaterial> second = second_->Load();
  if (!second.ok()) return first;
  second->origin = CertificateOrigin::kFallback;
  if (first.ok()) {
    second->trust_domain = first->trust_domain;
    second->spiffe_roots = std::move(first->spiffe_roots);
  }
  return second;
}

}  // namespace spire_exporter
