// For tests: bcrypt hashes that were made with htpasswd's method, cheap ones.
#ifndef EXPORTER_WEB_TEST_HASHES_H_
#define EXPORTER_WEB_TEST_HASHES_H_

namespace spire_exporter {

// Of `secret`.
inline constexpr const char* kHashOfSecret =
    "$2b$04$BDk6/4B9z2fEXiGCN30e5.z37eVG3.flaFAbW8ii59BNGX4jJE50m";
// Of `other`.
inline constexpr const char* kHashOfOther =
    "$2b$04$vhkUeo9zGu9JcLbjB7dwnuip7BGGZTr9Vqk0AaXi2IXL0r8hs0Z3C";
// Of `secret`.
inline constexpr const char* kCostlyHashOfSecret =
    "$2b$12$cdFg9V4fvQiZ2Le7DcsOIuzQTa3rP8dA21UN69CBUdZFR3F1oQT1O";

}  // namespace spire_exporter

#endif  // EXPORTER_WEB_TEST_HASHES_H_
