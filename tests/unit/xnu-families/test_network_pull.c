/* SPDX-License-Identifier: BSD-3-Clause */
/* Output that the driver fetches (macOS 10.8 and later), with a driver of the test. */
#include "tests/unit/xnu-iokit/iokit_test.h"

#include "abi/IOEthernetController.h"
#include "abi/IOEthernetInterface.h"
#include "abi/IOWorkLoop.h"
#include "abi/constants.h"
#include "abi/constants/results.h"
#include "abi/kpi/mbuf.h"

#include "xnu/bsd/start.h"
#include "xnu/families/network/ethernet_stack.h"
#include "xnu/libkern/class.h"

enum { FRAME = 60, QUEUE = 8 };

/* How the driver behaves, and what it saw. */
static struct {
    IONetworkInterface *interface;
    IOWorkLoop *work_loop;
    uint32_t options, room, calls, fetched, direct;
    uint64_t bytes;
    bool starts, stops_itself, in_gate;
    int32_t configured_late;
} driver;

struct PullDriver {
    IOEthernetController super;
};
typedef struct PullDriver PullDriver;

static bool test_create_work_loop(IONetworkController *me)
{
    driver.work_loop = IOWorkLoop_workLoop();
    return driver.work_loop != NULL;
}

static IOWorkLoop *test_work_loop(IOService *me)
{
    return driver.work_loop;
}

static int32_t test_address(IOEthernetController *me, IOEthernetAddress *address)
{
    memcpy(address->bytes, "\2\0\0\0\0\1", sizeof address->bytes);
    return kIOReturnSuccess;
}

static bool test_configure(IONetworkController *me, IONetworkInterface *interface)
{
    return IONetworkInterface_configureOutputPullModel(interface, 4, driver.options, QUEUE, 0) ==
               kIOReturnSuccess &&
           IONetworkInterface_configureInputPacketPolling(interface, 4, 0) == kIOReturnSuccess;
}

static int32_t test_enable(IONetworkController *me, IONetworkInterface *interface)
{
    driver.interface = interface;
    driver.configured_late =
        IONetworkInterface_configureOutputPullModel(interface, 4, 0, QUEUE, 0);
    return driver.starts ? IONetworkInterface_startOutputThread(interface, 0) : kIOReturnSuccess;
}

static int32_t test_disable(IONetworkController *me, IONetworkInterface *interface)
{
    record("disable");
    return IONetworkInterface_stopOutputThread(interface, 0);
}

static uint32_t test_output(IONetworkController *me, mbuf_t packet, void *parameter)
{
    driver.direct++;
    mbuf_freem(packet);
    return 0;
}

/* Fetches as many as there is room for. */
static int32_t test_start(IONetworkController *me, IONetworkInterface *interface, uint32_t options)
{
    mbuf_t head = NULL, tail = NULL;
    uint32_t count = 0;
    uint64_t bytes = 0;

    driver.calls++;
    driver.in_gate = IOWorkLoop_inGate(driver.work_loop);
    if (driver.stops_itself)
        CHECK(IONetworkInterface_stopOutputThread(interface, 0) == kIOReturnSuccess);
    if (driver.room == 0)
        return kIOReturnNoResources;
    if (IONetworkInterface_dequeueOutputPackets(interface, driver.room, &head, &tail, &count,
                                                &bytes) != kIOReturnSuccess)
        return kIOReturnNoFrames;
    CHECK(tail && mbuf_nextpkt(tail) == NULL && count <= driver.room);
    driver.room -= count;
    driver.fetched += count;
    driver.bytes += bytes;
    mbuf_freem_list(head);
    machine_wakeup(&driver, false);
    return kIOReturnSuccess;
}

KERNEL_CLASS(10, PullDriver, IOEthernetController,
             .createWorkLoop = test_create_work_loop,
             .getWorkLoop = test_work_loop,
             .getHardwareAddress_ethernetaddress = test_address,
             .configureInterface = test_configure,
             .enable_networkinterface = test_enable,
             .disable_networkinterface = test_disable,
             .outputPacket = test_output,
             .outputStart = test_start)

/* ---- the machine ---------------------------------------------------------------------------- */

static IOService *nub, *controller;

static void begin(void)
{
    IONetworkInterface *interface = NULL;

    CHECK(xnu_bsd_start() == 0);
    ethernet_stack_start();
    nub = make_nub("slot", NULL);
    controller = object_new(&PullDriver_gMetaClass);
    CHECK(IORegistryEntry_init_dictionary(as_entry(controller), NULL));
    CHECK(IOService_attach(controller, nub) && IOService_start(controller, nub));
    CHECK(IONetworkController_attachInterface((IONetworkController *)controller, &interface, true));
    CHECK(wait_idle() && interface && driver.interface == interface);
    CHECK(driver.configured_late == (int32_t)kIOReturnError);
}

static void end(void)
{
    IONetworkController_detachInterface((IONetworkController *)controller, driver.interface, true);
    object_release(driver.interface);
    CHECK(IOService_terminate(controller, kIOServiceSynchronous | kIOServiceRequired));
    object_release(controller);
    object_release(nub);
}

static void send(unsigned count)
{
    struct ethernet_device *device = ethernet_find("en0");
    mbuf_t first = NULL, packet;

    for (unsigned i = 0; i < count; i++) {
        CHECK(mbuf_allocpacket(MBUF_WAITOK, FRAME, NULL, &packet) == 0);
        mbuf_setlen(packet, FRAME);
        mbuf_pkthdr_setlen(packet, FRAME);
        mbuf_setnextpkt(packet, first);
        first = packet;
    }
    ethernet_stack_output(device, first);
}

/* Waits until so many frames were fetched, or a tenth of a second. */
static bool fetched_becomes(uint32_t count)
{
    uint64_t deadline = machine_uptime() + SECOND / 10;

    while (driver.fetched != count && machine_uptime() < deadline)
        machine_sleep(NULL, &driver, machine_uptime() + SECOND / 100, false);
    return driver.fetched == count;
}

/* ---- what is tested ------------------------------------------------------------------------- */

static void fetched_body(void *unused)
{
    driver.starts = true;
    driver.room = 100;
    begin();
    send(3);
    CHECK(fetched_becomes(3) && driver.bytes == 3 * FRAME && driver.direct == 0);
    CHECK(!driver.in_gate);
    send(1);
    CHECK(fetched_becomes(4));
    end();
    CHECK_EVENTS("disable");
}

static void frames_are_fetched(void **state)
{
    run_iokit(fetched_body);
}

static void gated_body(void *unused)
{
    driver.starts = true;
    driver.room = 100;
    driver.options = 1;
    begin();
    send(2);
    CHECK(fetched_becomes(2) && driver.in_gate);
    end();
}

static void in_the_drivers_gate_if_it_asks_for_that(void **state)
{
    run_iokit(gated_body);
}

static void not_started_body(void *unused)
{
    driver.room = 100;
    begin();
    send(2);
    CHECK(!fetched_becomes(2) && driver.calls == 0);
    CHECK(IONetworkInterface_startOutputThread(driver.interface, 0) == kIOReturnSuccess);
    CHECK(fetched_becomes(2));
    CHECK(IONetworkInterface_stopOutputThread(driver.interface, 0) == kIOReturnSuccess);
    send(QUEUE + 5); /* more than the queue has room for */
    CHECK(!fetched_becomes(3));
    CHECK(IONetworkInterface_startOutputThread(driver.interface, 0) == kIOReturnSuccess);
    CHECK(fetched_becomes(2 + QUEUE));
    end();
}

static void not_before_it_starts_the_thread(void **state)
{
    run_iokit(not_started_body);
}

static void starved_body(void *unused)
{
    driver.starts = true;
    driver.room = 2;
    begin();
    send(5);
    CHECK(fetched_becomes(2) && !fetched_becomes(3));
    uint32_t calls = driver.calls;
    CHECK(!fetched_becomes(3) && driver.calls == calls); /* it is left alone */
    driver.room = 2;
    IONetworkInterface_signalOutputThread(driver.interface, 0);
    CHECK(fetched_becomes(4));
    driver.room = 10;
    send(1); /* a frame asks as well */
    CHECK(fetched_becomes(6));
    end();
}

static void without_room_it_is_asked_again_when_it_signals(void **state)
{
    run_iokit(starved_body);
}

static void flush_body(void *unused)
{
    driver.room = 100;
    begin();
    send(3);
    IONetworkInterface_flushOutputQueue(driver.interface, 0);
    send(3); /* stopped and flushed: these are dropped too */
    CHECK(IONetworkInterface_startOutputThread(driver.interface, 0) == kIOReturnSuccess);
    CHECK(!fetched_becomes(1));
    send(1);
    CHECK(fetched_becomes(1));
    end();
}

static void what_is_flushed_is_lost(void **state)
{
    run_iokit(flush_body);
}

static void own_stop_body(void *unused)
{
    driver.starts = driver.stops_itself = true;
    begin();
    send(1);
    CHECK(!fetched_becomes(1) && driver.calls == 1);
    end();
}

static void it_may_stop_the_thread_that_calls_it(void **state)
{
    run_iokit(own_stop_body);
}

static void arguments_body(void *unused)
{
    mbuf_t head = NULL;
    uint32_t count = 7;

    begin();
    CHECK(IONetworkInterface_dequeueOutputPackets(driver.interface, 0, &head, NULL, NULL, NULL) ==
          (int32_t)kIOReturnBadArgument);
    CHECK(IONetworkInterface_dequeueOutputPackets(driver.interface, 1, NULL, NULL, NULL, NULL) ==
          (int32_t)kIOReturnBadArgument);
    CHECK(IONetworkInterface_dequeueOutputPackets(driver.interface, 1, &head, NULL, &count,
                                                  NULL) == kIOReturnNoFrames && count == 0);
    CHECK(IONetworkInterface_dequeueOutputPacketsWithServiceClass(
              driver.interface, 1, 99, &head, NULL, NULL, NULL) == (int32_t)kIOReturnBadArgument);
    send(2);
    CHECK(IONetworkInterface_dequeueOutputPacketsWithServiceClass(
              driver.interface, 1, 3, &head, NULL, NULL, NULL) == kIOReturnNoFrames);
    CHECK(IONetworkInterface_dequeueOutputPacketsWithServiceClass(
              driver.interface, 1, 0, &head, NULL, NULL, NULL) == kIOReturnSuccess);
    mbuf_freem(head);
    end();
}

static void arguments_are_checked(void **state)
{
    run_iokit(arguments_body);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_fetched),
        cmocka_unit_test(in_the_drivers_gate_if_it_asks_for_that),
        cmocka_unit_test(not_before_it_starts_the_thread),
        cmocka_unit_test(without_room_it_is_asked_again_when_it_signals),
        cmocka_unit_test(what_is_flushed_is_lost),
        cmocka_unit_test(it_may_stop_the_thread_that_calls_it),
        cmocka_unit_test(arguments_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
