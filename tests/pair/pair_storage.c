/* SPDX-License-Identifier: BSD-3-Clause */
/* DVD drives of the host. Host side. */
#include "tests/pair/pair_storage.h"

#include <string.h>

#include "host/devices/storvsc.h"
#include "host/disk/disk.h"
#include "host/disk/disk_memory.h"
#include "tests/pair/pair_host.h"

static struct disk *make_disc(struct pair_host *host, uint64_t bytes, uint8_t fill)
{
    struct disk *disc = disk_memory_open(pair_host_disk_engine(host), bytes, 512);

    if (disc != NULL)
        memset(disk_memory_bytes(disc), fill, bytes);
    return disc;
}

bool pair_host_add_drive(struct pair_host *host, unsigned lun, uint64_t bytes, uint8_t fill)
{
    struct disk *disc = bytes != 0 ? make_disc(host, bytes, fill) : NULL;

    return storvsc_add_dvd_drive(pair_host_storage(host), lun, disc) == 0;
}

int pair_host_insert_disc(struct pair_host *host, unsigned lun, uint64_t bytes, uint8_t fill, bool force)
{
    struct disk *disc = make_disc(host, bytes, fill);
    int result = storvsc_insert_disc(pair_host_storage(host), lun, disc, force);

    if (result != 0)
        disk_close(disc);
    return result;
}

int pair_host_eject_disc(struct pair_host *host, unsigned lun, bool force)
{
    return storvsc_eject_disc(pair_host_storage(host), lun, force);
}
