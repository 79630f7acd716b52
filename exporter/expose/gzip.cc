#include "exporter/expose/gzip.h"

#include <libdeflate.h>

#include <algorithm>
#include <memory>

namespace spire_exporter {
namespace {

// Of a page of 10,000 counters level 1 leaves 13 % in 2 ms and level 6 9 % in 11 ms; a page travels
// a node or two, so that time counts for more. Its compressor takes 200 KiB, those of the levels
// above 650.
constexpr int kLevel = 1;

Error OutOfMemory() {
  return {Code::kResourceExhausted, "gzip: out of memory", "", true};
}

struct FreeCompressor {
  void operator()(libdeflate_compressor* it) const { libdeflate_free_compressor(it); }
};

struct FreeDecompressor {
  void operator()(libdeflate_decompressor* it) const { libdeflate_free_decompressor(it); }
};

}  // namespace

Result<std::string> Gzip::Compress(std::string_view body) {
  const MutexLock lock(mutex_);
  // Not kept: it would be resident between two scrapes, and making it takes some 0.1 ms.
  const std::unique_ptr<libdeflate_compressor, FreeCompressor> compressor(
      libdeflate_alloc_compressor(kLevel));
  if (compressor == nullptr) return OutOfMemory();
  std::string out(libdeflate_gzip_compress_bound(compressor.get(), body.size()), '\0');
  const size_t size =
      libdeflate_gzip_compress(compressor.get(), body.data(), body.size(), out.data(), out.size());
  if (size == 0) return Error{Code::kInternal, "gzip: the bound did not hold", "", false};
  out.resize(size);
  out.shrink_to_fit();
  return out;
}

Result<std::string> Gunzip(std::string_view compressed, size_t most) {
  const std::unique_ptr<libdeflate_decompressor, FreeDecompressor> decompressor(
      libdeflate_alloc_decompressor());
  if (decompressor == nullptr) return OutOfMemory();
  std::string out;
  size_t room = std::min(most, std::max<size_t>(4 * compressed.size(), 4096));
  for (;;) {
    out.resize(room);
    size_t taken = 0;
    size_t made = 0;
    const libdeflate_result result =
        libdeflate_gzip_decompress_ex(decompressor.get(), compressed.data(), compressed.size(),
                                      out.data(), out.size(), &taken, &made);
    if (result == LIBDEFLATE_SUCCESS && taken == compressed.size()) {
      out.resize(made);
      return out;
    }
    if (result != LIBDEFLATE_INSUFFICIENT_SPACE) {
      return Error{Code::kInvalidArgument, "gzip: not one whole member", "", false};
    }
    if (room == most)
      return Error{Code::kResourceExhausted, "gzip: longer than allowed", "", false};
    room = room > most / 2 ? most : 2 * room;
  }
}

}  // namespace spire_exporter
