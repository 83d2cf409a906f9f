/* SPDX-License-Identifier: BSD-3-Clause */
/* What the daemons use of macOS's C library, x86_64, as declarations of our own: there is no SDK
 * here. Every header that they include is this one (daemons/macos/build makes the names).
 *
 * Facts: the published interfaces of Apple's Libc and xnu (bsd/sys), and POSIX. */
#ifndef DAEMONS_MACOS_MACOS_H
#define DAEMONS_MACOS_MACOS_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

typedef long ssize_t;
typedef int64_t off_t;
typedef int32_t pid_t;
typedef uint32_t uid_t, gid_t, socklen_t;
typedef uint16_t mode_t, nlink_t;
typedef int32_t dev_t;
typedef uint64_t ino_t;
typedef long time_t;

/* ---- errno ---- */

extern int *__error(void);
#define errno (*__error())
enum {
    EPERM = 1, ENOENT = 2, EINTR = 4, EIO = 5, EACCES = 13, EBUSY = 16, EEXIST = 17, ENOTDIR = 20,
    EINVAL = 22, EFBIG = 27, ENOSPC = 28, EROFS = 30, ENOTSUP = 45, ECONNREFUSED = 61, ELOOP = 62,
    ENAMETOOLONG = 63, EDQUOT = 69
};

/* ---- strings, memory, numbers ---- */

#define PRId64 "lld"
#define PRIu64 "llu"
#define SCNd64 "lld"
extern void *memcpy(void *, const void *, size_t), *memmove(void *, const void *, size_t),
    *memset(void *, int, size_t);
extern int memcmp(const void *, const void *, size_t), strcmp(const char *, const char *),
    strncmp(const char *, const char *, size_t);
extern void *memchr(const void *, int, size_t);
extern size_t strlen(const char *), strcspn(const char *, const char *),
    strspn(const char *, const char *);
extern char *strchr(const char *, int), *strrchr(const char *, int),
    *strstr(const char *, const char *), *strncat(char *, const char *, size_t), *strerror(int);
extern long strtol(const char *, char **, int);

/* ---- stdio ---- */

typedef struct __sFILE FILE;
extern FILE *__stdoutp, *__stderrp;
#define stdout __stdoutp
#define stderr __stderrp
#define EOF (-1)
extern int printf(const char *, ...), fprintf(FILE *, const char *, ...),
    snprintf(char *, size_t, const char *, ...), vsnprintf(char *, size_t, const char *, va_list),
    sscanf(const char *, const char *, ...), fscanf(FILE *, const char *, ...);
extern FILE *fopen(const char *, const char *), *popen(const char *, const char *);
extern int fclose(FILE *), pclose(FILE *), fflush(FILE *), ferror(FILE *), fileno(FILE *),
    getc(FILE *), putc(int, FILE *), fputs(const char *, FILE *),
    rename(const char *, const char *);
extern size_t fread(void *, size_t, size_t, FILE *);
extern char *fgets(char *, int, FILE *);

/* ---- files; the calls that take a folder's descriptor are there since 10.10 ---- */

struct timespec {
    time_t tv_sec;
    long tv_nsec;
};
struct timeval {
    time_t tv_sec;
    int32_t tv_usec;
};
struct stat {
    dev_t st_dev;
    mode_t st_mode;
    nlink_t st_nlink;
    ino_t st_ino;
    uid_t st_uid;
    gid_t st_gid;
    dev_t st_rdev;
    struct timespec st_atimespec, st_mtimespec, st_ctimespec, st_birthtimespec;
    off_t st_size;
    int64_t st_blocks;
    int32_t st_blksize;
    uint32_t st_flags, st_gen;
    int32_t st_lspare;
    int64_t st_qspare[2];
};
_Static_assert(sizeof(struct stat) == 144, "struct stat with 64-bit inode numbers");
struct statvfs {
    unsigned long f_bsize, f_frsize;
    uint32_t f_blocks, f_bfree, f_bavail, f_files, f_ffree, f_favail;
    unsigned long f_fsid, f_flag, f_namemax;
};
#define S_ISREG(mode) (((mode) & 0170000) == 0100000)
#define S_ISLNK(mode) (((mode) & 0170000) == 0120000)
enum { S_IWGRP = 020, S_IWOTH = 02 };
enum {
    O_RDONLY = 0, O_WRONLY = 1, O_NONBLOCK = 4, O_NOFOLLOW = 0x100, O_CREAT = 0x200,
    O_EXCL = 0x800, O_DIRECTORY = 0x100000, O_CLOEXEC = 0x1000000,
    F_SETFD = 2, F_SETFL = 4, F_FULLFSYNC = 51, F_FREEZE_FS = 53, F_THAW_FS = 54, FD_CLOEXEC = 1,
    AT_SYMLINK_NOFOLLOW = 0x20, STDIN_FILENO = 0
};
extern int open(const char *, int, ...), openat(int, const char *, int, ...), close(int),
    fcntl(int, int, ...), ioctl(int, unsigned long, ...), unlink(const char *),
    unlinkat(int, const char *, int), renameat(int, const char *, int, const char *),
    linkat(int, const char *, int, const char *, int), mkdir(const char *, mode_t),
    mkdirat(int, const char *, mode_t), ftruncate(int, off_t), fchmod(int, mode_t), fsync(int),
    dup(int), dup2(int, int), pipe(int[2]), fstatvfs(int, struct statvfs *);
extern int fstat(int, struct stat *) __asm("_fstat$INODE64");
extern int fstatat(int, const char *, struct stat *, int) __asm("_fstatat$INODE64");
extern ssize_t write(int, const void *, size_t), pwrite(int, const void *, size_t, off_t);
extern int access(const char *, int);
extern void sync(void);
enum { F_OK = 0 };

/* ---- processes, signals, time ---- */

typedef uint32_t sigset_t;
struct sigaction {
    void (*sa_handler)(int);
    sigset_t sa_mask;
    int sa_flags;
};
enum { SIGINT = 2, SIGPIPE = 13, SIGTERM = 15, SIGXFSZ = 25 };
#define SIG_DFL ((void (*)(int))0)
#define SIG_IGN ((void (*)(int))1)
extern int sigaction(int, const struct sigaction *, struct sigaction *);
extern void (*signal(int, void (*)(int)))(int);
extern pid_t fork(void), waitpid(pid_t, int *, int);
extern int execl(const char *, const char *, ...);
extern void _exit(int) __attribute__((noreturn));
#define WIFEXITED(status) (((status) & 0177) == 0)
#define WEXITSTATUS(status) ((status) >> 8 & 0377)
struct pollfd {
    int fd;
    short events, revents;
};
#define POLLIN 1
extern int poll(struct pollfd *, uint32_t, int);
extern int gettimeofday(struct timeval *, void *),
    settimeofday(const struct timeval *, const void *),
    adjtime(const struct timeval *, struct timeval *);
struct utsname {
    char sysname[256], nodename[256], release[256], version[256], machine[256];
};
extern int uname(struct utsname *), gethostname(char *, size_t);

/* ---- frameworks ---- */

enum { RTLD_LAZY = 1 };
extern void *dlopen(const char *, int), *dlsym(void *, const char *);

/* ---- the system log ---- */

enum { LOG_PID = 1, LOG_DAEMON = 3 << 3, LOG_ERR = 3, LOG_NOTICE = 5, LOG_DEBUG = 7 };
extern void openlog(const char *, int, int), syslog(int, const char *, ...);

/* ---- sockets and addresses ---- */

struct sockaddr {
    uint8_t sa_len, sa_family;
    char sa_data[14];
};
struct in_addr {
    uint32_t s_addr;
};
struct in6_addr {
    uint8_t s6_addr[16];
};
struct sockaddr_in {
    uint8_t sin_len, sin_family;
    uint16_t sin_port;
    struct in_addr sin_addr;
    char sin_zero[8];
};
struct sockaddr_in6 {
    uint8_t sin6_len, sin6_family;
    uint16_t sin6_port;
    uint32_t sin6_flowinfo;
    struct in6_addr sin6_addr;
    uint32_t sin6_scope_id;
};
struct sockaddr_dl {
    uint8_t sdl_len, sdl_family;
    uint16_t sdl_index;
    uint8_t sdl_type, sdl_nlen, sdl_alen, sdl_slen;
    char sdl_data[12];
};
#define LLADDR(link) ((link)->sdl_data + (link)->sdl_nlen)
struct sockaddr_ctl {
    uint8_t sc_len, sc_family;
    uint16_t ss_sysaddr;
    uint32_t sc_id, sc_unit, sc_reserved[5];
};
struct ctl_info {
    uint32_t ctl_id;
    char ctl_name[96];
};
enum {
    AF_INET = 2, AF_LINK = 18, AF_INET6 = 30, AF_SYSTEM = 32, PF_SYSTEM = 32, AF_SYS_CONTROL = 2,
    SYSPROTO_CONTROL = 2, SOCK_DGRAM = 2, IFF_LOOPBACK = 8, AI_CANONNAME = 2,
    INET_ADDRSTRLEN = 16, INET6_ADDRSTRLEN = 46
};
#define CTLIOCGINFO 0xC0644E03ul
struct ifaddrs {
    struct ifaddrs *ifa_next;
    char *ifa_name;
    unsigned ifa_flags;
    struct sockaddr *ifa_addr, *ifa_netmask, *ifa_dstaddr;
    void *ifa_data;
};
struct addrinfo {
    int ai_flags, ai_family, ai_socktype, ai_protocol;
    socklen_t ai_addrlen;
    char *ai_canonname;
    struct sockaddr *ai_addr;
    struct addrinfo *ai_next;
};
extern int socket(int, int, int), connect(int, const struct sockaddr *, socklen_t),
    getifaddrs(struct ifaddrs **),
    getaddrinfo(const char *, const char *, const struct addrinfo *, struct addrinfo **);
extern void freeifaddrs(struct ifaddrs *), freeaddrinfo(struct addrinfo *);
extern ssize_t send(int, const void *, size_t, int), recv(int, void *, size_t, int);
extern const char *inet_ntop(int, const void *, char *, socklen_t);
extern int inet_pton(int, const char *, void *);

#endif
