/* SPDX-License-Identifier: BSD-3-Clause */
/* block_device.c - the list of disks, their registry nodes, checks of requests. */
#include "xnu/families/block_device.h"

#include "abi/constants/errno.h"
#include "abi/constants/results.h"
#include "abi/constants/scsi.h"

#include "xnu/bsd/format.h"
#include "xnu/libkern/class.h"
#include "xnu/machine/machine.h"
#include "xnu/machine/memory.h"

/* A node that looks like the IOMedia of a whole disk; drivers of ours do not match on it. It hears
 * what the disk driver of a Mac would. */
struct KernelBlockDevice {
    IOService super;
};
static int32_t node_message(IOService *node, uint32_t type, IOService *provider, void *argument);
KERNEL_CLASS(17, KernelBlockDevice, IOService, .message = node_message)

static struct machine_spin_lock devices_lock;
static struct block_device *devices;
static struct block_device_observer observer;
static bool asleep;                      /* written under the lock */
static struct block_request *held, **held_end = &held;

/* ---- references ----------------------------------------------------------------------------- */

void block_device_retain(struct block_device *device)
{
    __atomic_fetch_add(&device->references, 1, __ATOMIC_RELAXED);
}

void block_device_release(struct block_device *device)
{
    if (__atomic_sub_fetch(&device->references, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    device->operations->release(device->context);
    machine_release(device, sizeof *device);
}

struct block_device *block_device_find(const char *name)
{
    machine_spin_lock(&devices_lock);
    struct block_device *device = devices;
    while (device && __builtin_strcmp(device->name, name) != 0)
        device = device->next;
    if (device)
        block_device_retain(device);
    machine_spin_unlock(&devices_lock);
    return device;
}

/* ---- the node -------------------------------------------------------------------------------- */

/* Its device, with a reference, or NULL: it has been retracted. */
static struct block_device *device_of(const IOService *node)
{
    machine_spin_lock(&devices_lock);
    struct block_device *device = devices;
    while (device && device->node != node)
        device = device->next;
    if (device)
        block_device_retain(device);
    machine_spin_unlock(&devices_lock);
    return device;
}

static int32_t node_message(IOService *node, uint32_t type, IOService *provider, void *argument)
{
    if (type != kIOMessageMediaParametersHaveChanged)
        return IOService_super_message(node, type, provider, argument);
    struct block_device *device = device_of(node);
    if (!device)
        return kIOReturnNotAttached;
    if (device->operations->look_again)
        device->operations->look_again(device->context);
    block_device_release(device);
    return kIOReturnSuccess;
}

/* ---- publishing ----------------------------------------------------------------------------- */

static bool unit_in_use(unsigned unit)
{
    for (const struct block_device *device = devices; device; device = device->next)
        if (device->unit == unit)
            return true;
    return false;
}

/* False: it has been retracted before it appeared. */
static bool add_to_list(struct block_device *device)
{
    machine_spin_lock(&devices_lock);
    bool wanted = !device->gone;
    if (wanted) {
        while (unit_in_use(device->unit))
            device->unit++;
        format_text(device->name, sizeof device->name, "disk%u", device->unit);
        device->publishing = true;
        device->next = devices;
        devices = device;
    }
    machine_spin_unlock(&devices_lock);
    return wanted;
}

static void set_properties(IORegistryEntry *node, const struct block_device *device)
{
    const struct block_device_information *information = &device->information;

    IORegistryEntry_setProperty_cstring_cstring(node, "BSD Name", device->name);
    IORegistryEntry_setProperty_cstring_number(node, "BSD Unit", device->unit, 32);
    IORegistryEntry_setProperty_cstring_number(node, "Size", information->size, 64);
    IORegistryEntry_setProperty_cstring_number(node, "Preferred Block Size",
                                               information->block_size, 64);
    IORegistryEntry_setProperty_cstring_number(node, "Physical Block Size",
                                               information->physical_block_size, 64);
    IORegistryEntry_setProperty_cstring_bool(node, "Whole", true);
    IORegistryEntry_setProperty_cstring_bool(node, "Leaf", true);
    IORegistryEntry_setProperty_cstring_bool(node, "Writable", !information->read_only);
    IORegistryEntry_setProperty_cstring_bool(node, "Removable", information->removable);
    IORegistryEntry_setProperty_cstring_bool(node, "Ejectable", information->removable);
    IORegistryEntry_setProperty_cstring_cstring(node, "Vendor Name", information->vendor);
    IORegistryEntry_setProperty_cstring_cstring(node, "Product Name", information->product);
}

static void make_node(struct block_device *device, IOService *parent)
{
    char name[40];
    IOService *node = (IOService *)KernelBlockDevice_alloc();

    if (!node || !IORegistryEntry_init_dictionary((IORegistryEntry *)node, NULL) ||
        !IOService_attach(node, parent)) {
        object_release(node);
        return;
    }
    format_text(name, sizeof name, "%s %s Media", device->information.vendor,
                device->information.product);
    IORegistryEntry_setName_cstring((IORegistryEntry *)node, name, NULL);
    set_properties((IORegistryEntry *)node, device);
    device->node = node;
    IOService_registerService(node, 0);
}

struct block_device *block_device_create(const struct block_device_information *information,
                                         const struct block_device_operations *operations,
                                         void *context)
{
    struct block_device *device = machine_allocate_zeroed(sizeof *device, 0);

    if (!device)
        return NULL;
    device->information = *information;
    device->operations = operations;
    device->context = context;
    device->references = 1;
    return device;
}

static void finish_retract(struct block_device *device)
{
    if (observer.removed)
        observer.removed(observer.context, device);
    machine_spin_lock(&devices_lock);
    IOService *node = device->node;
    device->node = NULL;
    machine_spin_unlock(&devices_lock);
    if (node) {
        IOService_terminate(node, 0);
        object_release(node);
    }
    block_device_release(device);
}

void block_device_set_size(struct block_device *device, uint64_t size)
{
    if (__atomic_exchange_n(&device->information.size, size, __ATOMIC_ACQ_REL) == size)
        return;
    machine_spin_lock(&devices_lock);
    IOService *node = device->node;
    if (node)
        object_retain(node);
    machine_spin_unlock(&devices_lock);
    if (node)
        IORegistryEntry_setProperty_cstring_number((IORegistryEntry *)node, "Size", size, 64);
    object_release(node);
    if (observer.resized)
        observer.resized(observer.context, device);
}

void block_device_publish(struct block_device *device, IOService *parent)
{
    block_device_retain(device);
    if (add_to_list(device)) {
        if (parent)
            make_node(device, parent);
        if (observer.added)
            observer.added(observer.context, device);
        machine_spin_lock(&devices_lock);
        device->publishing = false;
        device->published = true;
        bool gone = device->gone;
        machine_spin_unlock(&devices_lock);
        if (gone)
            finish_retract(device);
    }
    block_device_release(device);
}

/* While another thread is publishing it, that one does the rest. */
void block_device_retract(struct block_device *device)
{
    machine_spin_lock(&devices_lock);
    __atomic_store_n(&device->gone, true, __ATOMIC_RELEASE);
    struct block_device **link = &devices;
    while (*link && *link != device)
        link = &(*link)->next;
    if (*link)
        *link = device->next;
    bool publishing = device->publishing, published = device->published;
    machine_spin_unlock(&devices_lock);
    if (published)
        finish_retract(device);
    else if (!publishing)
        block_device_release(device);
}

/* The device behind `previous` in the list (NULL: the first), with a reference. */
static struct block_device *next_device(struct block_device *previous)
{
    machine_spin_lock(&devices_lock);
    struct block_device *device = previous ? previous->next : devices;
    if (device)
        block_device_retain(device);
    machine_spin_unlock(&devices_lock);
    if (previous)
        block_device_release(previous);
    return device;
}

void block_device_observe(const struct block_device_observer *new_observer)
{
    observer = new_observer ? *new_observer : (struct block_device_observer){ NULL };
    if (!observer.added)
        return;
    for (struct block_device *device = next_device(NULL); device; device = next_device(device))
        observer.added(observer.context, device);
}

/* ---- requests ------------------------------------------------------------------------------- */

static int check(const struct block_device *device, const struct block_request *request)
{
    const struct block_device_information *information = &device->information;

    if (__atomic_load_n(&device->gone, __ATOMIC_ACQUIRE))
        return ENXIO;
    if (request->operation == BLOCK_FLUSH)
        return 0;
    if ((request->offset | request->length) & (information->block_size - 1))
        return EINVAL;
    uint64_t size = block_device_size(device);
    if (request->offset > size || request->length > size - request->offset)
        return EINVAL;
    if (request->operation != BLOCK_READ && information->read_only)
        return EROFS;
    if (request->operation == BLOCK_DISCARD && !information->can_discard)
        return ENOTSUP;
    if (request->operation == BLOCK_WRITE_ZEROES && !information->can_write_zeroes)
        return ENOTSUP;
    return 0;
}

static void start(struct block_device *device, struct block_request *request)
{
    request->error = check(device, request);
    if (request->error != 0 || (request->length == 0 && request->operation != BLOCK_FLUSH)) {
        request->done(request);
        return;
    }
    device->operations->submit(device->context, request);
}

/* True: the request waits for the machine to wake. */
static bool hold(struct block_device *device, struct block_request *request)
{
    machine_spin_lock(&devices_lock);
    bool held = asleep;
    if (held) {
        request->device = device;
        request->next = NULL;
        *held_end = request;
        held_end = &request->next;
    }
    machine_spin_unlock(&devices_lock);
    return held;
}

void block_device_submit(struct block_device *device, struct block_request *request)
{
    if (!__atomic_load_n(&asleep, __ATOMIC_ACQUIRE) || !hold(device, request))
        start(device, request);
}

struct waiter {
    struct machine_spin_lock lock;
    bool done;
};

static void wake_waiter(struct block_request *request)
{
    struct waiter *waiter = request->context;
    bool enabled = machine_spin_lock_disable_interrupts(&waiter->lock);

    waiter->done = true;
    machine_wakeup(waiter, false);
    machine_spin_unlock_restore_interrupts(&waiter->lock, enabled);
}

static int run(struct block_device *device, struct block_request *request,
               void (*submit)(struct block_device *, struct block_request *))
{
    struct waiter waiter = { .done = false };

    request->done = wake_waiter;
    request->context = &waiter;
    submit(device, request);
    bool enabled = machine_spin_lock_disable_interrupts(&waiter.lock);
    while (!waiter.done) {
        machine_wait_prepare(&waiter, MACHINE_NEVER, false);
        machine_spin_unlock_restore_interrupts(&waiter.lock, enabled);
        machine_wait_block();
        enabled = machine_spin_lock_disable_interrupts(&waiter.lock);
    }
    machine_spin_unlock_restore_interrupts(&waiter.lock, enabled);
    return request->error;
}

int block_device_run(struct block_device *device, struct block_request *request)
{
    return run(device, request, block_device_submit);
}

/* ---- sleep ---------------------------------------------------------------------------------- */

void block_devices_sleep(void)
{
    machine_spin_lock(&devices_lock);
    __atomic_store_n(&asleep, true, __ATOMIC_RELEASE);
    machine_spin_unlock(&devices_lock);
    for (struct block_device *device = next_device(NULL); device; device = next_device(device)) {
        struct block_request flush = { .operation = BLOCK_FLUSH };
        int error = run(device, &flush, start);
        if (error != 0)
            machine_log("%s: what it was given may not be on its medium: error %d", device->name,
                        error);
    }
}

void block_devices_wake(void)
{
    machine_spin_lock(&devices_lock);
    __atomic_store_n(&asleep, false, __ATOMIC_RELEASE);
    struct block_request *request = held;
    held = NULL;
    held_end = &held;
    machine_spin_unlock(&devices_lock);
    while (request) {
        struct block_request *next = request->next; /* of the submitter's once it is done */
        start(request->device, request);
        request = next;
    }
}
