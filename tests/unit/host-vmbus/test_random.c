/* SPDX-License-Identifier: BSD-3-Clause */
/* Seeded random guests: whatever happens, the server's invariants hold (D15). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/host-vmbus/random_guest.h"

enum { RUNS = 400, BYTES = 2000 };

static void invariants_hold_whatever_guest_devices_and_user_do(void **state)
{
    struct random_guest_result sum = {0};
    for (unsigned seed = 1; seed <= RUNS; seed++) {
        uint8_t bytes[BYTES];
        uint64_t random = seed;
        for (unsigned i = 0; i < BYTES; i++) {
            random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            bytes[i] = (uint8_t)(random >> 33);
        }
        struct random_guest_result result = random_guest_run(bytes, BYTES);
        if (result.broken != NULL) {
            print_error("seed %u: does not hold: %s\n", seed, result.broken);
        }
        assert_null(result.broken);
        sum.opens += result.opens;
        sum.closes += result.closes;
        sum.rescinds += result.rescinds;
        sum.gpadls += result.gpadls;
        sum.packets += result.packets;
    }
    print_message("# opens %u closes %u rescinds %u buffers %u packets %u\n", sum.opens,
                  sum.closes, sum.rescinds, sum.gpadls, sum.packets);
    /* The walk went somewhere. */
    assert_true(sum.opens > 100);
    assert_true(sum.closes > 100);
    assert_true(sum.rescinds > 100);
    assert_true(sum.gpadls > 20);
    assert_true(sum.packets > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(invariants_hold_whatever_guest_devices_and_user_do),
    };
    return cmocka_run_group_tests_name("vmbus random", tests, NULL, NULL);
}
