/* Forced into civetweb's translation unit ahead of everything else: its calls on the listening
 * socket go to functions of ours, so that the door owns every real listener.
 *
 * The system's declarations come first, so that the macros change calls and nothing else. */
#ifndef EXPORTER_HTTP_CIVETWEB_REDIRECT_H_
#define EXPORTER_HTTP_CIVETWEB_REDIRECT_H_

#include <sys/socket.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the door sends over the wake socket for each request. */
struct SpireExporterHandover {
  int fd;               /* the worker's end; civetweb closes it */
  unsigned short place; /* comes out as the peer's port */
};

/* Binds nothing. */
int SpireExporterBind(int fd, const struct sockaddr* address, socklen_t size);
/* Puts the descriptor whose number is `backlog` in the place of `fd`: civetweb takes the number
 * from its option `listen_backlog`, so no global is needed to tell it. */
int SpireExporterListen(int fd, int backlog);
/* Takes one handover from the wake socket. */
int SpireExporterAccept(int fd, struct sockaddr* address, socklen_t* size);
/* 127.0.0.1: civetweb insists on an address of the family it asked for. */
int SpireExporterGetsockname(int fd, struct sockaddr* address, socklen_t* size);

#ifdef __cplusplus
}
#endif

#ifdef SPIRE_EXPORTER_INSIDE_CIVETWEB
#define bind SpireExporterBind
#define listen SpireExporterListen
#define accept SpireExporterAccept
#define getsockname SpireExporterGetsockname
/* civetweb tells its threads to stop by a volatile int, which is a data race. The macro does not
 * expand within itself: its typedef becomes one of an atomic int, and each use of it agrees. */
#define stop_flag_t _Atomic stop_flag_t
#endif

#endif /* EXPORTER_HTTP_CIVETWEB_REDIRECT_H_ */
