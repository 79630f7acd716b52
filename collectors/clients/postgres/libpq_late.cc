#include "collectors/clients/postgres/libpq_late.h"

#include <dlfcn.h>
#include <libpq-fe.h>

#include <cstddef>
#include <cstdio>
#include <string>

// Every function that libpqxx (6.4 and 7.10) and this folder call: name, parameters, arguments. The
// linker says when one is missing. PQclientEncoding() stands below.
#define LIBPQ_FUNCTIONS(X)                                                                       \
  X(PQconnectStart, (const char* a), (a))                                                        \
  X(PQconnectStartParams, (const char* const* a, const char* const* b, int c), (a, b, c))        \
  X(PQconnectPoll, (PGconn * a), (a))                                                            \
  X(PQconnectdb, (const char* a), (a))                                                           \
  X(PQconnectdbParams, (const char* const* a, const char* const* b, int c), (a, b, c))           \
  X(PQinitOpenSSL, (int a, int b), (a, b))                                                       \
  X(PQreset, (PGconn * a), (a))                                                                  \
  X(PQfinish, (PGconn * a), (a))                                                                 \
  X(PQconninfoParse, (const char* a, char** b), (a, b))                                          \
  X(PQconninfo, (PGconn * a), (a))                                                               \
  X(PQconninfoFree, (PQconninfoOption * a), (a))                                                 \
  X(PQstatus, (const PGconn* a), (a))                                                            \
  X(PQerrorMessage, (const PGconn* a), (a))                                                      \
  X(PQsocket, (const PGconn* a), (a))                                                            \
  X(PQserverVersion, (const PGconn* a), (a))                                                     \
  X(PQprotocolVersion, (const PGconn* a), (a))                                                   \
  X(PQbackendPID, (const PGconn* a), (a))                                                        \
  X(PQdb, (const PGconn* a), (a))                                                                \
  X(PQuser, (const PGconn* a), (a))                                                              \
  X(PQhost, (const PGconn* a), (a))                                                              \
  X(PQport, (const PGconn* a), (a))                                                              \
  X(PQisthreadsafe, (), ())                                                                      \
  X(PQsetClientEncoding, (PGconn * a, const char* b), (a, b))                                    \
  X(pg_encoding_to_char, (int a), (a))                                                           \
  X(PQsetErrorVerbosity, (PGconn * a, PGVerbosity b), (a, b))                                    \
  X(PQsetNoticeProcessor, (PGconn * a, PQnoticeProcessor b, void* c), (a, b, c))                 \
  X(PQsetNoticeReceiver, (PGconn * a, PQnoticeReceiver b, void* c), (a, b, c))                   \
  X(PQtrace, (PGconn * a, FILE * b), (a, b))                                                     \
  X(PQuntrace, (PGconn * a), (a))                                                                \
  X(PQsetnonblocking, (PGconn * a, int b), (a, b))                                               \
  X(PQexec, (PGconn * a, const char* b), (a, b))                                                 \
  X(PQexecParams,                                                                                \
    (PGconn * a, const char* b, int c, const Oid* d, const char* const* e, const int* f,         \
     const int* g, int h),                                                                       \
    (a, b, c, d, e, f, g, h))                                                                    \
  X(PQprepare, (PGconn * a, const char* b, const char* c, int d, const Oid* e), (a, b, c, d, e)) \
  X(PQexecPrepared,                                                                              \
    (PGconn * a, const char* b, int c, const char* const* d, const int* e, const int* f, int g), \
    (a, b, c, d, e, f, g))                                                                       \
  X(PQsendQuery, (PGconn * a, const char* b), (a, b))                                            \
  X(PQgetResult, (PGconn * a), (a))                                                              \
  X(PQisBusy, (PGconn * a), (a))                                                                 \
  X(PQconsumeInput, (PGconn * a), (a))                                                           \
  X(PQnotifies, (PGconn * a), (a))                                                               \
  X(PQputCopyData, (PGconn * a, const char* b, int c), (a, b, c))                                \
  X(PQputCopyEnd, (PGconn * a, const char* b), (a, b))                                           \
  X(PQgetCopyData, (PGconn * a, char** b, int c), (a, b, c))                                     \
  X(PQendcopy, (PGconn * a), (a))                                                                \
  X(PQgetCancel, (PGconn * a), (a))                                                              \
  X(PQfreeCancel, (PGcancel * a), (a))                                                           \
  X(PQcancel, (PGcancel * a, char* b, int c), (a, b, c))                                         \
  X(PQclear, (PGresult * a), (a))                                                                \
  X(PQresultStatus, (const PGresult* a), (a))                                                    \
  X(PQresultErrorMessage, (const PGresult* a), (a))                                              \
  X(PQresultErrorField, (const PGresult* a, int b), (a, b))                                      \
  X(PQcmdStatus, (PGresult * a), (a))                                                            \
  X(PQcmdTuples, (PGresult * a), (a))                                                            \
  X(PQoidValue, (const PGresult* a), (a))                                                        \
  X(PQntuples, (const PGresult* a), (a))                                                         \
  X(PQnfields, (const PGresult* a), (a))                                                         \
  X(PQfname, (const PGresult* a, int b), (a, b))                                                 \
  X(PQfnumber, (const PGresult* a, const char* b), (a, b))                                       \
  X(PQftype, (const PGresult* a, int b), (a, b))                                                 \
  X(PQfmod, (const PGresult* a, int b), (a, b))                                                  \
  X(PQfsize, (const PGresult* a, int b), (a, b))                                                 \
  X(PQftable, (const PGresult* a, int b), (a, b))                                                \
  X(PQftablecol, (const PGresult* a, int b), (a, b))                                             \
  X(PQgetvalue, (const PGresult* a, int b, int c), (a, b, c))                                    \
  X(PQgetlength, (const PGresult* a, int b, int c), (a, b, c))                                   \
  X(PQgetisnull, (const PGresult* a, int b, int c), (a, b, c))                                   \
  X(PQfreemem, (void* a), (a))                                                                   \
  X(PQescapeStringConn, (PGconn * a, char* b, const char* c, size_t d, int* e), (a, b, c, d, e)) \
  X(PQescapeIdentifier, (PGconn * a, const char* b, size_t c), (a, b, c))                        \
  X(PQescapeByteaConn, (PGconn * a, const unsigned char* b, size_t c, size_t* d), (a, b, c, d))  \
  X(PQunescapeBytea, (const unsigned char* a, size_t* b), (a, b))                                \
  X(PQencryptPassword, (const char* a, const char* b), (a, b))                                   \
  X(PQencryptPasswordConn, (PGconn * a, const char* b, const char* c, const char* d), (a, b, c, d))

namespace {

enum Index {
#define LIBPQ_INDEX(name, parameters, arguments) kIndexOf_##name,
  LIBPQ_FUNCTIONS(LIBPQ_INDEX)
#undef LIBPQ_INDEX
      kIndexOf_PQclientEncoding,
  kCount
};

constexpr const char* kNames[kCount] = {
#define LIBPQ_NAME(name, parameters, arguments) #name,
    LIBPQ_FUNCTIONS(LIBPQ_NAME)
#undef LIBPQ_NAME
        "PQclientEncoding"};

// What dlsym(3) found. Made once, by whoever comes first, and never given back: libpq's own exit
// handlers must find it mapped.
struct Library {
  void* functions[kCount] = {};
  std::string problem;

  Library() {
    void* handle = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
      problem = "libpq.so.5 is missing: install the package libpq5";
      return;
    }
    for (size_t i = 0; i < kCount; ++i) {
      functions[i] = dlsym(handle, kNames[i]);
      if (functions[i] == nullptr) {
        problem = std::string("libpq.so.5 has no ") + kNames[i] + ": it is too old";
        return;
      }
    }
  }
};

const Library& TheLibrary() {
  static const Library library;
  return library;
}

// POSIX lets the pointer of dlsym(3) be a function's.
template <typename Function>
Function Find(Index index) {
  return reinterpret_cast<Function>(TheLibrary().functions[index]);
}

// PQclientEncoding()'s number for UTF8, which every connection of ours is told.
constexpr int kUtf8 = 6;

}  // namespace

extern "C" {

#define LIBPQ_DEFINE(name, parameters, arguments)              \
  auto name parameters->decltype(::name arguments) {           \
    return Find<decltype(&::name)>(kIndexOf_##name) arguments; \
  }
LIBPQ_FUNCTIONS(LIBPQ_DEFINE)
#undef LIBPQ_DEFINE

// Of a connection that broke libpq says -1, whereupon libpqxx throws and forgets the result that it
// was about to wrap: 2 KiB a broken connection.
int PQclientEncoding(const PGconn* connection) {
  const int encoding = Find<decltype(&::PQclientEncoding)>(kIndexOf_PQclientEncoding)(connection);
  return encoding < 0 ? kUtf8 : encoding;
}

}  // extern "C"

namespace spire_exporter::pg {

Status LoadLibpq() {
  const std::string& problem = TheLibrary().problem;
  if (problem.empty()) return {};
  return Error{Code::kFailedPrecondition, problem, "", false};
}

}  // namespace spire_exporter::pg
