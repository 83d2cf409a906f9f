/* SPDX-License-Identifier: BSD-3-Clause */
/* Transaction ids: only an id that was given out and not yet returned finds its owner. */
#include "kext/core/requests.h"
#include "tests/unit/kext-core/engines.h"

#define SLOTS 4u

static struct request_slot slots[SLOTS];
static struct requests table;
static int owners[SLOTS + 1];

static int setup(void **state)
{
    return requests_init(&table, slots, SLOTS);
}

static void an_id_leads_back_to_its_owner_once(void **state)
{
    uint64_t id;

    assert_int_equal(requests_add(&table, &owners[0], &id), 0);
    assert_int_not_equal(id, 0);
    assert_ptr_equal(requests_find(&table, id), &owners[0]);
    assert_ptr_equal(requests_take(&table, id), &owners[0]);
    assert_null(requests_take(&table, id));         /* repeated by the host */
    assert_null(requests_find(&table, id));
    assert_int_equal(table.unknown, 1);
}

static void an_id_says_nothing_of_an_address(void **state)
{
    uint64_t id;

    assert_int_equal(requests_add(&table, &owners[0], &id), 0);
    assert_int_equal(id, UINT64_C(1) << 32 | 1);
}

/* D5, D12: ids at and beyond the edges, and stale ones. */
static void made_up_ids_find_nothing_and_are_counted(void **state)
{
    uint64_t id;

    assert_int_equal(requests_add(&table, &owners[0], &id), 0);
    const uint64_t made_up[] = { 0, UINT64_C(1) << 32, id + 1, id - 1, id ^ UINT64_C(1) << 32,
                                 (id & ~UINT64_C(0xFFFFFFFF)) | SLOTS,
                                 (id & ~UINT64_C(0xFFFFFFFF)) | (SLOTS + 1),
                                 (id & ~UINT64_C(0xFFFFFFFF)) | 0xFFFFFFFF, UINT64_MAX,
                                 (uintptr_t)&owners[0] };

    for (size_t i = 0; i < COUNT_OF(made_up); i++)
        assert_null(requests_take(&table, made_up[i]));
    assert_int_equal(table.unknown, COUNT_OF(made_up));
    assert_ptr_equal(requests_take(&table, id), &owners[0]);
}

static void a_stale_id_does_not_find_the_next_user_of_the_slot(void **state)
{
    uint64_t first, second;

    assert_int_equal(requests_add(&table, &owners[0], &first), 0);
    requests_take(&table, first);
    assert_int_equal(requests_add(&table, &owners[1], &second), 0);
    assert_int_equal((uint32_t)first, (uint32_t)second);    /* the same slot */
    assert_null(requests_take(&table, first));
    assert_ptr_equal(requests_take(&table, second), &owners[1]);
}

static void a_full_table_says_so_and_goes_on_after_one_is_returned(void **state)
{
    uint64_t ids[SLOTS], id;

    for (unsigned i = 0; i < SLOTS; i++)
        assert_int_equal(requests_add(&table, &owners[i], &ids[i]), 0);
    assert_int_equal(requests_add(&table, &owners[SLOTS], &id), HV_ERROR_FULL);
    assert_ptr_equal(requests_take(&table, ids[2]), &owners[2]);
    assert_int_equal(requests_add(&table, &owners[SLOTS], &id), 0);
    assert_ptr_equal(requests_take(&table, id), &owners[SLOTS]);
    assert_int_equal(table.outstanding, SLOTS - 1);
}

static void tearing_down_returns_every_owner_once(void **state)
{
    uint64_t id;
    unsigned found = 0;

    for (unsigned i = 0; i < SLOTS; i++)
        requests_add(&table, &owners[i], &id);
    requests_take(&table, id);
    while (requests_take_any(&table) != NULL)
        found++;
    assert_int_equal(found, SLOTS - 1);
    assert_int_equal(table.outstanding, 0);
    assert_int_equal(requests_add(&table, &owners[0], &id), 0);
}

static void senseless_arguments_are_refused(void **state)
{
    uint64_t id;

    assert_int_equal(requests_add(&table, NULL, &id), HV_ERROR_INVALID);
    assert_int_equal(requests_init(&table, NULL, 1), HV_ERROR_INVALID);
    assert_int_equal(requests_init(&table, slots, 0), HV_ERROR_INVALID);
    assert_int_equal(requests_init(&table, slots, REQUESTS_MAXIMUM + 1), HV_ERROR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_id_leads_back_to_its_owner_once, setup),
        cmocka_unit_test_setup(an_id_says_nothing_of_an_address, setup),
        cmocka_unit_test_setup(made_up_ids_find_nothing_and_are_counted, setup),
        cmocka_unit_test_setup(a_stale_id_does_not_find_the_next_user_of_the_slot, setup),
        cmocka_unit_test_setup(a_full_table_says_so_and_goes_on_after_one_is_returned, setup),
        cmocka_unit_test_setup(tearing_down_returns_every_owner_once, setup),
        cmocka_unit_test_setup(senseless_arguments_are_refused, setup),
    };

    return cmocka_run_group_tests_name("requests", tests, NULL, NULL);
}
