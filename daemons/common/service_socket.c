/* SPDX-License-Identifier: BSD-3-Clause */
/* The socket to the service: the one place where macOS and Linux differ for every daemon. */
#include "daemons/common/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef __APPLE__
#include <sys/kern_control.h>
#include <sys/sys_domain.h>
#else
#include <sys/un.h>
#endif

#ifdef __APPLE__

static int connect_to(int descriptor, const char *name, const char *folder)
{
    struct ctl_info info;
    struct sockaddr_ctl address;

    (void)folder;
    memset(&info, 0, sizeof info);
    snprintf(info.ctl_name, sizeof info.ctl_name, "%s", name);
    if (ioctl(descriptor, CTLIOCGINFO, &info) != 0)
        return -1;
    memset(&address, 0, sizeof address);
    address.sc_len = sizeof address;
    address.sc_family = AF_SYSTEM;
    address.ss_sysaddr = AF_SYS_CONTROL;
    address.sc_id = info.ctl_id;
    return connect(descriptor, (struct sockaddr *)&address, sizeof address);
}

static int make_socket(void)
{
    return socket(PF_SYSTEM, SOCK_DGRAM, SYSPROTO_CONTROL);
}

#else

static int connect_to(int descriptor, const char *name, const char *folder)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int length = snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", folder, name);

    if (length < 0 || (size_t)length >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return connect(descriptor, (struct sockaddr *)&address, sizeof address);
}

static int make_socket(void)
{
    return socket(AF_UNIX, SOCK_SEQPACKET, 0);
}

#endif

int service_socket_open(const char *name, const char *folder)
{
    int descriptor = make_socket();
    int error;

    if (descriptor < 0)
        return -1;
    fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    if (connect_to(descriptor, name, folder) == 0)
        return descriptor;
    error = errno;
    close(descriptor);
    errno = error;
    return -1;
}
