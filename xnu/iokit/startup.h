/* SPDX-License-Identifier: BSD-3-Clause */
/* Bringing I/O Kit up, looking at it and taking it down. For kextrun and for tests: freestanding
 * types only. */
#ifndef MACHV_XNU_IOKIT_STARTUP_H
#define MACHV_XNU_IOKIT_STARTUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plist;

/* ---- start ---- */

struct xnu_console {
    uint64_t base;        /* guest-physical address of the frame buffer, 0: no screen at boot */
    unsigned row_bytes, width, height, depth; /* depth in bits */
};

/* All zero is a good default. Borrowed during xnu_iokit_start. */
struct xnu_options {
    unsigned generation;  /* 1 or 2; 0: what the partition says, 2 without one */
    struct xnu_console console;
};

typedef void startup_function(const struct xnu_options *options);

/* The steps, in order: "libkern", "kernel interfaces", "symbols", "registry", "catalogue",
 * "interrupts", "built-in personalities", "machine", "power", "panic actions", "root",
 * "resources". A test may
 * change the list before xnu_iokit_start; it stays changed until startup_reset. */
void startup_reset(void);
/* False: no such step. */
bool startup_remove(const char *name);
bool startup_replace(const char *name, startup_function *function);
/* Before the named step, at the end with NULL. False: no such step, or the list is full (32).
 * `name` is borrowed. */
bool startup_insert(const char *before, const char *name, startup_function *function);

/* Runs the steps on the calling kernel thread. The release must have been selected
 * (xnu/libkern/release.h); matching goes on in other threads afterwards. */
void xnu_iokit_start(const struct xnu_options *options);

/* ---- drivers ---- */

/* Adds the personalities of one kext to the catalogue and matches registered services again.
 * personalities: the value of IOKitPersonalities, a dictionary of dictionaries; bundle: the
 * kext's CFBundleIdentifier, which personalities without one get. False: not a dictionary, or no
 * memory. */
bool xnu_add_personalities(const struct plist *personalities, const char *bundle);
/* Takes the personalities of a bundle out again. */
void xnu_remove_personalities(const char *bundle);
/* Terminates, synchronously, every service whose driver came from the bundle. */
void xnu_terminate_drivers(const char *bundle);

/* Publishes a resource that drivers wait for ("IOBSD"). */
void xnu_publish_resource(const char *name);

/* Waits until nothing is being matched; timeout in nanoseconds, UINT64_MAX = for ever. False:
 * timed out. */
bool xnu_wait_quiet(uint64_t timeout);

/* ---- looking ---- */

enum xnu_print_options {
    XNU_PRINT_PROPERTIES = 1,
    XNU_PRINT_JSON = 2, /* one object, children nested; with all properties */
};

typedef void xnu_print_function(void *context, const char *text, size_t length);

/* Writes the tree of a plane ("IOService", "IODeviceTree", "IOACPIPlane", "IOPower") as ioreg
 * does. False: there is no such plane. */
bool xnu_registry_print(const char *plane, unsigned options, xnu_print_function *print,
                        void *context);

/* Sets a property of the first registered service of the class, as a program does: the driver
 * decides. The value is text (bytes end with a NUL) or data. True with what the driver said
 * (IOReturn); false: there is no such service. */
bool xnu_registry_set(const char *class_name, const char *property, const void *bytes,
                      size_t length, bool is_text, int32_t *result);

/* ---- end ---- */

/* An orderly shutdown on the calling kernel thread: everybody is told, then all services below
 * the platform are terminated, youngest first, then the threads of I/O Kit end. Kexts can be
 * unloaded afterwards. False: something would not go; the log says what. */
bool xnu_shutdown(bool restart);

#endif
