/* SPDX-License-Identifier: BSD-3-Clause */
/* offloads INTERFACE on|off: what the adapter does in the stack's place, as ethtool -K sets it.
 * Prints what is so afterwards. For the guest, where there is no ethtool. */
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static const struct {
    const char *name;
    unsigned get, set;
} offloads[] = {
    /* Off in this order, on in the other: segmentation needs the sums,
     * and those scattered frames. */
    { "segmentation", ETHTOOL_GTSO, ETHTOOL_STSO },
    { "generic-segmentation", ETHTOOL_GGSO, ETHTOOL_SGSO },
    { "transmit-sums", ETHTOOL_GTXCSUM, ETHTOOL_STXCSUM },
    { "receive-sums", ETHTOOL_GRXCSUM, ETHTOOL_SRXCSUM },
};
enum { COUNT = sizeof offloads / sizeof offloads[0] };

static int request(int descriptor, struct ifreq *interface, unsigned command, unsigned *value)
{
    struct ethtool_value change = { command, *value };
    int result;

    interface->ifr_data = (void *)&change;
    result = ioctl(descriptor, SIOCETHTOOL, interface);
    *value = change.data;
    return result;
}

int main(int argc, char **argv)
{
    struct ifreq interface = { 0 };
    int descriptor = socket(AF_INET, SOCK_DGRAM, 0), failed = 0;
    int on = argc == 3 && strcmp(argv[2], "on") == 0;

    if (argc != 3 || descriptor < 0 || strlen(argv[1]) >= sizeof interface.ifr_name)
        return 2;
    strcpy(interface.ifr_name, argv[1]);
    for (int i = 0; i < COUNT; i++) {
        unsigned value = (unsigned)on;

        failed |= request(descriptor, &interface, offloads[on ? COUNT - 1 - i : i].set,
                          &value) != 0;
    }
    for (int i = 0; i < COUNT; i++) {
        unsigned value = 0;

        failed |= request(descriptor, &interface, offloads[i].get, &value) != 0;
        printf("%s%s %s", i == 0 ? "" : ", ", offloads[i].name, value != 0 ? "on" : "off");
    }
    printf("\n");
    return failed;
}
