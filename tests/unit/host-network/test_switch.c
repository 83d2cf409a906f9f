/* SPDX-License-Identifier: BSD-3-Clause */
/* The switch: what one adapter sends, the others get; addresses are learnt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/network/port.h"

static unsigned got[3];
static uint8_t last[3][200];
static struct network_port *ports[3];

static void take(void *adapter, struct frame *frame)
{
    unsigned index = (unsigned)(uintptr_t)adapter;
    got[index]++;
    memcpy(last[index], frame->bytes, frame->size < 200 ? frame->size : 200);
}

static bool has_room(void *adapter)
{
    return true;
}

static void send_frame(unsigned from, uint8_t to)
{
    uint8_t memory[104] = {0};
    struct frame frame = {.bytes = memory + 4, .size = 100};
    memcpy(frame.bytes, "\x02\x00\x00\x00\x00", 5);
    frame.bytes[5] = to;
    memcpy(frame.bytes + 6, "\x02\x00\x00\x00\x00", 5);
    frame.bytes[11] = (uint8_t)from;
    frame.bytes[99] = 0x77;
    network_port_send(ports[from], &frame);
    for (int i = 0; i < 3; i++) {
        ports[i]->operations->run(ports[i], 0);
    }
}

static void frames_flood_until_an_address_is_known(void **state)
{
    char name[32], error[200];
    snprintf(name, sizeof(name), "test-%u", (unsigned)getpid());
    for (unsigned i = 0; i < 3; i++) {
        ports[i] = network_switch_open(name, error, sizeof(error));
        assert_non_null(ports[i]);
        network_port_attach(ports[i], take, has_room, (void *)(uintptr_t)i);
    }
    send_frame(0, 1);
    assert_int_equal(got[0], 0);
    assert_int_equal(got[1], 1);
    assert_int_equal(got[2], 1);
    assert_int_equal(last[1][99], 0x77);
    send_frame(1, 0); /* port 1 has learnt where 0 is */
    assert_int_equal(got[0], 1);
    assert_int_equal(got[2], 1);
    network_port_free(ports[2]);
    ports[2] = ports[0];
    send_frame(0, 9); /* unknown again, one fewer to flood */
    assert_int_equal(got[1], 2);
    network_port_free(ports[0]);
    network_port_free(ports[1]);
}

static bool has_none(void *adapter)
{
    return false;
}

/* D19: what an adapter does not take costs the others nothing, whichever it is. */
static void an_adapter_that_takes_nothing_holds_up_no_other(void **state)
{
    enum { FRAMES = 3000 }; /* more than any socket keeps */
    char name[32], error[200];
    for (unsigned full = 1; full < 3; full++) {
        const unsigned other = 3 - full;
        snprintf(name, sizeof(name), "full-%u", (unsigned)getpid());
        for (unsigned i = 0; i < 3; i++) {
            ports[i] = network_switch_open(name, error, sizeof(error));
            assert_non_null(ports[i]);
            network_port_attach(ports[i], take, i == full ? has_none : has_room,
                                (void *)(uintptr_t)i);
        }
        memset(got, 0, sizeof(got));
        for (unsigned i = 0; i < FRAMES; i++) {
            send_frame(0, 9); /* to both */
        }
        assert_int_equal(got[other], FRAMES);
        assert_int_equal(got[full], 0);
        send_frame(other, 0);
        assert_int_equal(got[0], 1);
        send_frame(0, (uint8_t)other);
        assert_int_equal(got[other], FRAMES + 1);
        assert_int_equal(got[full], 0);
        ports[full]->has_room = has_room;
        send_frame(0, (uint8_t)full);
        assert_int_equal(got[full], 1);
        for (unsigned i = 0; i < 3; i++) {
            network_port_free(ports[i]);
        }
    }
}

static void names_that_are_paths_are_refused(void **state)
{
    char error[200];
    assert_null(network_switch_open("../x", error, sizeof(error)));
    assert_null(network_switch_open("", error, sizeof(error)));
    assert_non_null(strstr(error, "letters"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_flood_until_an_address_is_known),
        cmocka_unit_test(an_adapter_that_takes_nothing_holds_up_no_other),
        cmocka_unit_test(names_that_are_paths_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
