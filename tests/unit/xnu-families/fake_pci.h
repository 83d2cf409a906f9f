/* SPDX-License-Identifier: BSD-3-Clause */
/* A host bridge whose functions are arrays of bytes, for tests of the PCI family. */
#ifndef TESTS_UNIT_XNU_FAMILIES_FAKE_PCI_H
#define TESTS_UNIT_XNU_FAMILIES_FAKE_PCI_H

#include "tests/unit/xnu-iokit/iokit_test.h"

#include "abi/IOPCIDevice.h"
#include "abi/IOPCIHostBridge.h"

enum { FAKE_BUS = 0x10, FAKE_FUNCTIONS = 4, FAKE_CONFIG = 4096, FAKE_BARS = 6 };

#define FAKE_WINDOW UINT64_C(0xf9000000)
#define FAKE_WINDOW_SIZE UINT64_C(0x1000000)
#define FAKE_HIGH_WINDOW UINT64_C(0xfe0000000)

struct fake_function {
    bool present;
    uint8_t config[FAKE_CONFIG];
    uint32_t bars[FAKE_BARS]; /* what a probe reads; 0: none */
    uint32_t rom;             /* the same of the expansion ROM */
};

struct fake_pci {
    struct fake_function functions[FAKE_FUNCTIONS]; /* devices 0 ... */
    bool interrupts_refused;
    uintptr_t vectors_asked[8]; /* of GetMessagedInterruptAddress */
    unsigned asked;
};

extern struct fake_pci fake_pci;

#define FAKE_MESSAGE_ADDRESS 0xfee01000u
#define FAKE_MESSAGE_DATA 0x40u

IOKIT_CLASS_DECLARE(10, FakeBridge, IOPCIHostBridge);
IOKIT_CLASS_DECLARE(11, PlainBridge, IOPCIBridge);

/* I/O Kit with the classes above, and the functions that `fill` sets. */
void fake_pci_start(void);

/* A function with ids; `class_code` has 24 bits. */
struct fake_function *fake_add(unsigned device, uint16_t vendor, uint16_t id, uint32_t class_code);
void fake_put(struct fake_function *function, unsigned offset, unsigned size, uint32_t value);
/* Appends a capability of `size` bytes at `offset`, the last one in the chain. */
void fake_capability(struct fake_function *function, uint8_t kind, uint8_t offset);

/* Starts a bridge on a new nub; NULL if it does not start. Borrowed. */
IOPCIBridge *fake_bridge(const OSMetaClass *class);
/* The nub of device `device` below the bridge, borrowed, or NULL. */
IOPCIDevice *fake_nub(IOPCIBridge *bridge, unsigned device);

#endif
