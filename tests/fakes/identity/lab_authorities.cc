#include "tests/fakes/identity/lab_authorities.h"

#include <openssl/pem.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "exporter/base/text.h"
#include "tests/fakes/identity/record.h"

namespace spire_exporter::fakes {

Status LabAuthorities::Add(const Authority& authority) const {
  Status status = authority.Save(Path(authority.id() + ".authority"));
  return status.ok() ? WriteBundle() : status;
}

Status LabAuthorities::Activate(const std::string& server, const Authority& authority) const {
  return WriteRecord(Path(server + ".active"), {authority.id()});
}

Result<std::shared_ptr<const Authority>> LabAuthorities::Active(const std::string& server) const {
  const Result<std::vector<std::string>> lines = ReadRecord(Path(server + ".active"));
  if (!lines.ok()) return lines.error();
  if (lines.value().size() != 1) return Error{Code::kDataLoss, "no id of an authority", {}};
  return ById(lines.value()[0]);
}

Result<std::shared_ptr<const Authority>> LabAuthorities::ById(const std::string& id) const {
  return Authority::Load(Path(id + ".authority"));
}

std::vector<std::shared_ptr<const Authority>> LabAuthorities::All() const {
  std::vector<std::shared_ptr<const Authority>> all;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    if (entry.path().extension() != ".authority") continue;
    Result<std::shared_ptr<const Authority>> read = Authority::Load(entry.path());
    if (read.ok()) all.push_back(std::move(read).value());
  }
  std::sort(all.begin(), all.end(),
            [](const auto& left, const auto& right) { return left->id() < right->id(); });
  return all;
}

std::string LabAuthorities::Jwks() const {
  std::vector<spiffe::TestJwtKey> keys;
  for (const auto& authority : All()) keys.push_back(authority->jwt_key());
  return spiffe::TestJwks(keys);
}

Status LabAuthorities::WriteBundle() const {
  std::string pem;
  for (const auto& authority : All()) pem += spiffe::CertificatePem(authority->root());
  std::vector<std::string> lines;
  for (const std::string_view line : Split(pem, '\n')) {
    if (!line.empty()) lines.emplace_back(line);
  }
  const Result<std::vector<std::string>> old = ReadRecord(Path("bundle.pem"));
  if (old.ok() && old.value() == lines) return {};
  return WriteRecord(Path("bundle.pem"), lines);
}

Status LabAuthorities::SetSigning(const std::string& id, const Signing& signing) const {
  return WriteRecord(Path(id + ".signing"),
                     {signing.denied ? "denied" : std::to_string(signing.delay.count())});
}

Signing LabAuthorities::SigningOf(const std::string& id) const {
  const Result<std::vector<std::string>> lines = ReadRecord(Path(id + ".signing"));
  if (!lines.ok() || lines.value().size() != 1) return {};
  const std::string& text = lines.value()[0];
  int64_t milliseconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), milliseconds);
  return {std::chrono::milliseconds(milliseconds), text == "denied"};
}

Result<std::vector<std::string>> ReadBundleFile(const std::string& path) {
  const std::unique_ptr<BIO, int (*)(BIO*)> file(BIO_new_file(path.c_str(), "r"), BIO_free);
  if (!file) return Error{Code::kNotFound, "cannot read " + Quoted(path), {}};
  std::vector<std::string> roots;
  while (X509* const raw = PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr)) {
    const std::unique_ptr<X509, void (*)(X509*)> certificate(raw, X509_free);
    unsigned char* der = nullptr;
    const int size = i2d_X509(raw, &der);
    if (size > 0) roots.emplace_back(reinterpret_cast<char*>(der), static_cast<size_t>(size));
    OPENSSL_free(der);
  }
  if (roots.empty()) return Error{Code::kDataLoss, Quoted(path) + " holds no certificate", {}};
  return roots;
}

}  // namespace spire_exporter::fakes
