/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVController: finds the hypervisor, sets it up, starts VMBus. */
#include "abi/IOPMrootDomain.h"
#include "abi/OSNumber.h"
#include "abi/OSSymbol.h"
#include "abi/kpi/platform.h"
#include "abi/runtime.h"
#include "kext/core/boot_arguments.h"
#include "kext/core/controller.h"
#include "kext/core/errors.h"
#include "kext/core/log.h"
#include "kext/core/vmbus.h"

static const char who[] = "HyperVController";

/* Registers for being called when the kernel panics (macOS 10.11 and later). The key is spelt out
 * since older kernels do not export its symbol. */
#define PANIC_ACTION_KEY      "IOPlatformPanicAction"
#define PANIC_ACTION_PRIORITY 100u

/* As MacHyperVSupport found: there the interrupts of other processors never arrive. */
#define DARWIN_OF_MACOS_12 21

static HyperVController *instance;

HyperVController *controller_instance(void)
{
    return instance;
}

static void publish_identity(HyperVController *self)
{
    IORegistryEntry *entry = (IORegistryEntry *)self;

    IORegistryEntry_setProperty_cstring_number(entry, "HVHostMajor", self->identity.major, 32);
    IORegistryEntry_setProperty_cstring_number(entry, "HVHostMinor", self->identity.minor, 32);
    IORegistryEntry_setProperty_cstring_number(entry, "HVHostBuild", self->identity.build, 32);
    IORegistryEntry_setProperty_cstring_number(entry, "HVPrivileges",
                                               (uint64_t)self->identity.privileges_high << 32 |
                                                   self->identity.privileges, 64);
    IORegistryEntry_setProperty_cstring_number(entry, "HVProcessors", self->processor_count, 32);
}

/* The Hyper-V machine cannot sleep; and going down must reach us after all drivers above. */
static void join_power_management(HyperVController *self, IOService *provider)
{
    static const IOPMPowerState states[2] = {
        { .version = 1 },
        { .version = 1, .capabilityFlags = kIOPMDeviceUsable,
          .outputPowerCharacter = kIOPMPowerOn, .inputPowerRequirement = kIOPMPowerOn },
    };
    IOService *me = (IOService *)self;
    IOPMrootDomain *root = IOService_getPMRootDomain();

    IOService_PMinit(me);
    IOService_joinPMtree(provider, me);
    IOService_registerPowerDriver(me, me, (IOPMPowerState *)(uintptr_t)states, 2);
    self->power_joined = true;
    if (root != NULL)
        IOPMrootDomain_receivePowerNotification(root, kIOPMPreventSleep);
}

static int start_bus(HyperVController *self)
{
    HyperVVMBus *bus = HyperVVMBus_alloc();
    IOService *service = (IOService *)bus, *me = (IOService *)self;

    if (bus == NULL)
        return HV_ERROR_NO_RESOURCES;
    if (!IORegistryEntry_init_dictionary((IORegistryEntry *)bus, NULL) ||
        !IOService_attach(service, me)) {
        iokit_release(bus);
        return HV_ERROR_NO_RESOURCES;
    }
    self->bus = service;
    if (!IOService_start(service, me)) {
        self->bus = NULL;
        IOService_detach(service, me);
        iokit_release(bus);
        return HV_ERROR_IO;
    }
    return 0;
}

static void tear_down(HyperVController *self, IOService *provider)
{
    if (self->power_joined)
        IOService_PMstop((IOService *)self);
    self->power_joined = false;
    iokit_release_clear(self->bus);
    controller_synic_disable(self, provider);
    controller_hypercall_disable(self);
    iokit_release_clear(self->panic_action);
    write_hold_destroy(&self->write_hold);
    if (instance == self)
        instance = NULL;
}

static bool may_spread_interrupts(void)
{
    if (!boot_argument_given("-hvspread"))
        return false;
    if (version_major < DARWIN_OF_MACOS_12)
        return true;
    hv_log(who, "-hvspread is ignored: from macOS 12 on interrupts come to processor 0 only");
    return false;
}

static bool set_up(HyperVController *self, IOService *provider)
{
    int error;

    instance = self;
    self->spread_interrupts = may_spread_interrupts();
    self->panic_action = OSSymbol_withCString(PANIC_ACTION_KEY);
    if (!write_hold_init(&self->write_hold))
        hv_log(who, "no memory to hold writes back: there will be no backups");
    if ((error = controller_hypercall_enable(self)) != 0 ||
        (error = controller_synic_enable(self, provider)) != 0) {
        hv_log(who, "cannot set up the hypervisor interface (error %d)", error);
        return false;
    }
    publish_identity(self);
    join_power_management(self, provider);
    if ((error = start_bus(self)) != 0) {
        hv_log(who, "no VMBus (error %d)", error);
        return false;
    }
    IORegistryEntry_setProperty_cstring_number((IORegistryEntry *)self, PANIC_ACTION_KEY,
                                               PANIC_ACTION_PRIORITY, 32);
    return true;
}

static bool controller_start(IOService *me, IOService *provider)
{
    HyperVController *self = (HyperVController *)me;

    if (identity_read(&self->identity, processor_cpuid) != 0) {
        hv_log(who, "this machine is no Hyper-V guest with VMBus");
        return false;
    }
    if (instance != NULL || !IOService_super_start(me, provider))
        return false;
    hv_log(who, "Hyper-V %u.%u.%u", self->identity.major, self->identity.minor,
           self->identity.build);
    if (!set_up(self, provider)) {
        tear_down(self, provider);
        IOService_super_stop(me, provider);
        return false;
    }
    IOService_registerService(me, 0);
    return true;
}

static void controller_stop(IOService *me, IOService *provider)
{
    tear_down((HyperVController *)me, provider);
    IOService_super_stop(me, provider);
}

/* The last call of a system that shuts down or restarts: everything above has stopped writing. */
static void controller_system_will_shutdown(IOService *me, uint32_t specifier)
{
    HyperVController *self = (HyperVController *)me;

    if (self->bus != NULL)
        vmbus_disconnect((HyperVVMBus *)self->bus);
    IOService_super_systemWillShutdown(me, specifier);
}

static int32_t controller_call_platform_function(IOService *me, const OSSymbol *function,
                                                 bool wait, void *param1, void *param2,
                                                 void *param3, void *param4)
{
    HyperVController *self = (HyperVController *)me;

    if (function != NULL && function == self->panic_action) {
        controller_crash(self);
        return kIOReturnSuccess;
    }
    return IOService_super_callPlatformFunction_symbol(me, function, wait, param1, param2, param3,
                                                       param4);
}

IOKIT_CLASS(16, HyperVController, IOService,
            .start = controller_start,
            .stop = controller_stop,
            .systemWillShutdown = controller_system_will_shutdown,
            .callPlatformFunction_symbol = controller_call_platform_function)
