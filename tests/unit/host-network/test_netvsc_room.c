/* SPDX-License-Identifier: BSD-3-Clause */
/* When the adapter takes more of its network: as long as the guest keeps up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "host/devices/netvsc_internal.h"
#include "host/network/port.h"

enum { UNITS = 1820, UNIT_SIZE = 9216, HELD = (2 << 20) / UNIT_SIZE };

struct rig {
    struct netvsc *adapter;
    struct network_port *port;
    struct network_port_operations operations; /* of a network where frames wait, or not */
};

static int set_up(void **state)
{
    static struct rig rig;
    struct netvsc_settings settings;
    netvsc_default_settings(NVSP_VERSION_6_1, &settings);
    rig.port = network_loopback_open();
    rig.adapter = rig.port == NULL ? NULL : netvsc_new(&settings, rig.port);
    *state = &rig;
    if (rig.port != NULL) {
        rig.operations = *rig.port->operations;
        rig.operations.waits = true;
        rig.port->operations = &rig.operations;
    }
    return rig.adapter == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    rig->adapter->receive = NULL;
    struct virtual_device *device = netvsc_device(rig->adapter);
    device->operations->free(device);
    return 0;
}

/* The guest has lent a buffer, of which so many units are free. */
static void lend(struct netvsc *adapter, uint32_t units, uint32_t size, uint32_t free_units)
{
    adapter->receive = (struct host_gpadl *)adapter; /* there is one; nobody looks */
    adapter->control.initialised = true;
    adapter->unit_count = units;
    adapter->unit_size = size;
    adapter->units_free = free_units;
}

static bool listens(struct rig *rig)
{
    struct virtual_device *device = netvsc_device(rig->adapter);
    assert_int_equal(device->operations->listens(device), netvsc_has_room(rig->adapter));
    return netvsc_has_room(rig->adapter);
}

static void without_a_buffer_frames_are_taken_and_dropped(void **state)
{
    struct rig *rig = *state;
    assert_true(listens(rig));
    lend(rig->adapter, UNITS, UNIT_SIZE, 0);
    rig->adapter->control.initialised = false;
    assert_true(listens(rig));
}

static void a_guest_gets_no_more_than_it_takes(void **state)
{
    struct rig *rig = *state;
    lend(rig->adapter, UNITS, UNIT_SIZE, UNITS);
    assert_true(listens(rig));
    rig->adapter->units_free = UNITS - HELD;
    assert_true(listens(rig));
    rig->adapter->units_free = UNITS - HELD - 1;
    assert_false(listens(rig));
    /* Units set aside to be read to are not the guest's. */
    rig->adapter->reserved_count = 8;
    assert_true(listens(rig));
    rig->adapter->reserved_count = 0;
    rig->adapter->units_free = 0;
    assert_false(listens(rig));
    rig->adapter->units_free = UNITS - HELD / 2;
    assert_true(listens(rig));
}

static void what_cannot_wait_may_fill_the_buffer_and_is_always_listened_to(void **state)
{
    struct rig *rig = *state;
    struct virtual_device *device = netvsc_device(rig->adapter);
    rig->operations.waits = false;
    lend(rig->adapter, UNITS, UNIT_SIZE, NETVSC_UNITS_RESERVED + NETVSC_UNITS_FOR_A_FRAME);
    assert_true(netvsc_has_room(rig->adapter));
    rig->adapter->units_free--;
    assert_false(netvsc_has_room(rig->adapter));
    assert_true(device->operations->listens(device));
}

static void a_small_buffer_keeps_room_for_a_large_frame(void **state)
{
    struct rig *rig = *state;
    lend(rig->adapter, 200, 1728, 200);
    assert_true(listens(rig));
    rig->adapter->units_free = NETVSC_UNITS_RESERVED + NETVSC_UNITS_FOR_A_FRAME;
    assert_true(listens(rig));
    rig->adapter->units_free--;
    assert_false(listens(rig));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_a_buffer_frames_are_taken_and_dropped, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_guest_gets_no_more_than_it_takes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_cannot_wait_may_fill_the_buffer_and_is_always_listened_to, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_small_buffer_keeps_room_for_a_large_frame, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
