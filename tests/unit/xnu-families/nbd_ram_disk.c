/* SPDX-License-Identifier: BSD-3-Clause */
/* A RAM disk behind the fake SCSI adapter, served over NBD until standard input ends: for tests
 * with NBD clients that other people wrote, and for measurements. Usage: nbd_ram_disk DIRECTORY
 * MEGABYTES */
#include "tests/unit/xnu-families/family_test.h"

#include <stdio.h>

#include "tests/unit/xnu-families/fake_hba.h"

#include "xnu/families/nbd_export.h"

static const char *directory;
static uint64_t megabytes;

static void serve(void *argument)
{
    xnu_libkern_start();
    family_start();
    fake_hba_reset();
    fake_hba_resize(megabytes * 2048);
    fake_hba.provisioning = true;
    fake_hba.write_cache = true;
    fake_hba.task_count = 64;
    CHECK(nbd_export_start(directory) == 0);
    CHECK(fake_hba_start());
    char line[8];
    while (machine_poll(0, false, MACHINE_NEVER, false) == 1 && read(0, line, sizeof line) > 0)
        ;
    nbd_export_stop();
    fake_hba_stop();
    xnu_bsd_stop();
}

int main(int argc, char **argv)
{
    struct machine_configuration configuration = { .memory_bytes = 256u << 20, .processors = 2 };

    if (argc != 3) {
        fprintf(stderr, "usage: %s DIRECTORY MEGABYTES\n", argv[0]);
        return 2;
    }
    directory = argv[1];
    megabytes = strtoull(argv[2], NULL, 10);
    if (machine_start(&configuration) != 0 || machine_run("serve", serve, NULL) != 0)
        return 1;
    machine_stop();
    return kernel_test_failures != 0;
}
