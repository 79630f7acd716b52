// What a C library made and one function of it frees, in a std::unique_ptr.
#ifndef COLLECTORS_CLIENTS_SPIFFE_FREE_H_
#define COLLECTORS_CLIENTS_SPIFFE_FREE_H_

namespace spire_exporter::spiffe {

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* thing) const {
    kFree(thing);
  }
};

}  // namespace spire_exporter::spiffe

#endif  // COLLECTORS_CLIENTS_SPIFFE_FREE_H_
