/* SPDX-License-Identifier: BSD-3-Clause */
/* Channels and DVD drives of the host's storage controller. Host side. */
#include "tests/pair/pair_storage.h"

#include <string.h>

#include "host/devices/storvsc_internal.h"
#include "host/disk/disk.h"
#include "host/disk/disk_memory.h"
#include "tests/pair/pair_host.h"

unsigned pair_host_storage_channels(struct pair_host *host, uint64_t *requests, unsigned most)
{
    const struct storvsc_channel *channel = pair_host_storage(host)->channels;
    unsigned count = 0;

    memset(requests, 0, most * sizeof *requests);
    for (; channel != NULL; channel = channel->next) {
        unsigned index = host_channel_sub_channel_index(channel->channel);

        if (index < most)
            requests[index] = channel->srbs;
        count++;
    }
    return count;
}

void pair_host_sense_fault(struct pair_host *host, uint32_t ppm, uint8_t key, uint16_t additional)
{
    const struct storvsc_faults faults = {
        .sense_ppm = ppm, .sense_key = key, .sense_additional = additional,
    };

    storvsc_set_faults(pair_host_storage(host), &faults);
}

uint64_t pair_host_bytes_written(struct pair_host *host, unsigned lun)
{
    return storvsc_disk(pair_host_storage(host), lun)->counters.bytes_written;
}

uint64_t pair_host_flushes(struct pair_host *host, unsigned lun)
{
    return storvsc_disk(pair_host_storage(host), lun)->counters.flushes;
}

uint64_t pair_host_forced_writes(struct pair_host *host, unsigned lun)
{
    return storvsc_disk(pair_host_storage(host), lun)->counters.forced;
}

uint8_t *pair_host_lun(struct pair_host *host, unsigned lun)
{
    return disk_memory_bytes(storvsc_disk(pair_host_storage(host), lun));
}

uint64_t pair_host_resets(struct pair_host *host)
{
    return pair_host_storage(host)->counters.resets;
}

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

int pair_host_insert_disc(struct pair_host *host, unsigned lun, uint64_t bytes, uint8_t fill,
                          bool force)
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
