/* SPDX-License-Identifier: BSD-3-Clause */
/* Captures: what is in the file is what a wire would have carried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/network/capture.h"
#include "host/network/frame.h"
#include "host/network/port.h"

static uint8_t memory[FRAME_SIZE_MAX + FRAME_TAG];
static char path[] = "/tmp/machv-capture-XXXXXX";

static unsigned returned;

static void take(void *adapter, struct frame *frame)
{
    returned++;
}

static bool has_room(void *adapter)
{
    return true;
}

static void frames_of_both_directions_are_in_the_file(void **state)
{
    uint8_t file[4096];
    uint32_t length;
    int descriptor = mkstemp(path);
    struct network_port *port = network_loopback_open();
    network_port_attach(port, take, has_room, NULL);
    assert_int_equal(network_port_capture(port, path), 0);
    memset(memory + 4, 0x5a, 60);
    struct frame frame = {.bytes = memory + 4, .size = 60, .offload = {.tagged = true, .tag = 7}};
    network_port_send(port, &frame);
    assert_int_equal(returned, 1);
    assert_int_equal(network_port_capture(port, NULL), 0);
    network_port_send(port, &frame); /* no longer captured */
    ssize_t size = read(descriptor, file, sizeof(file));
    assert_int_equal(size, 24 + 2 * (16 + 64));
    /* Nanoseconds, this byte order. */
    assert_int_equal(file[0] | file[1] << 8 | file[2] << 16, 0xb23c4d);
    memcpy(&length, file + 24 + 8, 4);
    assert_int_equal(length, 64); /* with the tag */
    assert_int_equal(file[24 + 16 + 12], 0x81);
    assert_int_equal(file[24 + 16 + 15], 7);
    network_port_free(port);
    close(descriptor);
    unlink(path);
}

static void a_file_that_cannot_be_made_is_an_error(void **state)
{
    struct network_port *port = network_loopback_open();
    assert_true(network_port_capture(port, "/nowhere/at/all.pcap") < 0);
    network_port_free(port);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_of_both_directions_are_in_the_file),
        cmocka_unit_test(a_file_that_cannot_be_made_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
