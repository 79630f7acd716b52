#include "civetweb_redirect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

static void WriteLoopback(unsigned short port, struct sockaddr *address, socklen_t *size) {
  struct sockaddr_in loopback;
  memset(&loopback, 0, sizeof(loopback));
  loopback.sin_family = AF_INET;
  loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  loopback.sin_port = htons(port);
  memcpy(address, &loopback, *size < sizeof(loopback) ? *size : sizeof(loopback));
  *size = sizeof(loopback);
}

int SpireExporterBind(int fd, const struct sockaddr *address, socklen_t size) {
  (void)fd;
  (void)address;
  (void)size;
  return 0;
}

int SpireExporterListen(int fd, int backlog) { return dup3(backlog, fd, O_CLOEXEC) < 0 ? -1 : 0; }

int SpireExporterAccept(int fd, struct sockaddr *address, socklen_t *size) {
  struct SpireExporterHandover handover;
  ssize_t got;
  do {
    got = recv(fd, &handover, sizeof(handover), MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got != (ssize_t)sizeof(handover)) {
    if (got >= 0) errno = ECONNABORTED;
    return -1;
  }
  WriteLoopback(handover.place, address, size);
  return handover.fd;
}

int SpireExporterGetsockname(int fd, struct sockaddr *address, socklen_t *size) {
  (void)fd;
  WriteLoopback(9, address, size);
  return 0;
}
