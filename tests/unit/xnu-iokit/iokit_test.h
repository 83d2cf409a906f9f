/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of services: a whole I/O Kit is up, with a few drivers in plain C whose behaviour is
 * told by properties and whose calls are recorded in order. */
#ifndef TESTS_UNIT_XNU_IOKIT_IOKIT_TEST_H
#define TESTS_UNIT_XNU_IOKIT_IOKIT_TEST_H

#include "tests/unit/xnu-libkern/kernel_test.h"

#include "abi/IOCatalogue.h"
#include "abi/IONotifier.h"
#include "abi/IOService.h"
#include "abi/kpi/globals.h"
#include "abi/runtime.h"

#include "match/plist.h"
#include "xnu/iokit/startup.h"

#define SECOND UINT64_C(1000000000)

enum { IOKIT_SEEDS = 25, EVENTS_SIZE = 8192, EVENT_ROOM = 160 };

/* What happened, "a b c"; each test process begins with none. */
extern char events[EVENTS_SIZE];
void record(const char *format, ...) __attribute__((format(printf, 1, 2)));
void forget_events(void);

/* Shows both texts when they differ. */
#define CHECK_EVENTS(wanted)                                                              \
    do {                                                                                  \
        if (strcmp(events, (wanted)) != 0)                                                \
            fprintf(stderr, "events: %s\nwanted: %s\n", events, (wanted));                \
        CHECK(strcmp(events, (wanted)) == 0);                                             \
    } while (0)

/* TestNub: an IOService whose family key is "TestKind" (must equal; adds "TestScore" to the
 * score). TestDriver: records its calls as "<TestName>.<call>"; properties that steer it:
 * TestProbeAdds (number), TestProbeRefuses, TestStartFails, TestOpens, TestDefers (booleans),
 * TestWaitsFor (string: a resource that start waits for), TestRegisters: registers itself as a
 * nub. */
IOKIT_CLASS_DECLARE(7, TestNub, IOService);
IOKIT_CLASS_DECLARE(10, TestDriver, IOService);

/* Brings I/O Kit up and registers the classes above as the kext "test.drivers". */
void iokit_test_start(void);

/* Adds personalities from XML: the inside of a dictionary, "<key>name</key><dict>...</dict>". */
void add_personalities(const char *xml);
/* One personality: TestDriver on TestNub with TestName `name`; `extra` are more pairs. */
void add_driver(const char *name, const char *extra);

/* A TestNub of that registry name below `provider` (NULL: the platform expert), attached, not
 * registered; the caller's reference is +1. */
IOService *make_nub(const char *name, IOService *provider);
/* Borrowed; NULL if there is none: the driver with this TestName below the nub. */
IOService *driver_of(IOService *nub, const char *name);
bool wait_idle(void);

static inline IORegistryEntry *as_entry(const void *service)
{
    return (IORegistryEntry *)service;
}

static inline void set_text(void *service, const char *key, const char *text)
{
    IORegistryEntry_setProperty_cstring_cstring(as_entry(service), key, text);
}

static inline void run_iokit(machine_thread_function *body)
{
    kernel_test_start = iokit_test_start;
    run_seeds(body, IOKIT_SEEDS);
}

static inline void run_iokit_real(machine_thread_function *body)
{
    kernel_test_start = iokit_test_start;
    assert_int_equal(kernel_test_status(body, 0, false), 0);
}

#endif
