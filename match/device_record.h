/* SPDX-License-Identifier: BSD-3-Clause */
/* A device read from text, as a nub that personalities are matched against.
 *
 * What the text does not tell stays unknown (see struct pci_registers): a key that needs it is then
 * answered with MATCH_UNDECIDED. */
#ifndef MACHV_MATCH_DEVICE_RECORD_H
#define MACHV_MATCH_DEVICE_RECORD_H

#include "match/catalogue.h"
#include "match/pci_registers.h"
#include "match/problems.h"

enum { DEVICE_CLASS_SIZE = 64, DEVICES_MAX = 200000, DEVICE_TEXT_MAX = 64 << 20 };

struct device_record {
    char *source; /* where it was read: file or argument */
    size_t line;  /* in the file, from 1; 0 when there is none */
    char *label;  /* what people call it: a slot, "HDEF@1F,3", or the text it was given as */
    char provider_class[DEVICE_CLASS_SIZE]; /* of the nub */
    bool class_unknown; /* only a name is known: it may be a PCI or an ACPI nub */
    bool tunnelled;     /* IOPCITunnelled */
    bool skipped;       /* read, but not asked for */
    bool is_pci;
    struct pci_registers registers;
    struct plist *properties; /* of the nub */
    char *registry_name;      /* NULL when not known */
    char *location;           /* NULL when not known */
    char *attached;           /* drivers that a dump shows on it, for information; NULL when none */
    const struct device_record
        *parent; /* in the service plane, where a dump tells; borrowed from the list */
};

struct device_list {
    struct device_record **records;
    size_t count;
    const char *format; /* what the input was taken for; a static string */
};

/* Appends a record of the given nub class; NULL when memory is out or DEVICES_MAX is reached. */
struct device_record *device_list_add(struct device_list *list, const char *provider_class,
                                      const char *source, size_t line, const char *label);
/* Removes the record added last. */
void device_list_drop(struct device_list *list);
void device_list_clear(struct device_list *list);

/* Registers, with what is known of them. `class` has 24 bits; `class_bits` (0, 16, 24) says how
 * many are known. */
void device_set_ids(struct device_record *record, unsigned vendor, unsigned device);
void device_set_subsystem(struct device_record *record, unsigned vendor, unsigned device);
void device_set_class(struct device_record *record, unsigned class, unsigned class_bits);
void device_set_revision(struct device_record *record, unsigned revision);
/* Fields as a configuration space snapshot has them; takes what lies inside `size` bytes. */
void device_set_configuration(struct device_record *record, const unsigned char *bytes,
                              size_t size);
unsigned device_vendor(const struct device_record *record);
unsigned device_device(const struct device_record *record);
unsigned device_class(const struct device_record *record);
unsigned device_revision(const struct device_record *record);
/* 0, 16 or 24. */
unsigned device_class_bits(const struct device_record *record);
bool device_knows_subsystem(const struct device_record *record);
bool device_knows_revision(const struct device_record *record);

/* Properties: a value that is there already stays (as a nub keeps what firmware or a boot loader
 * injected). */
bool device_add_property(struct device_record *record, const char *key, struct plist *value);
bool device_add_number(struct device_record *record, const char *key,
                       uint32_t value); /* 4 bytes of data */
/* Appends to the list of strings in `compatible`. */
bool device_add_compatible(struct device_record *record, const char *name);

/* Makes registers out of the properties of the record, then the properties that the PCI family
 * publishes (IOPCIConfigurator constructProperties) out of registers. Call it once, when all fields
 * are there. */
bool device_finish(struct device_record *record);
/* Adds a name that firmware or a boot loader gives the device (last of `compatible`). After
 * device_finish(). */
bool device_add_name(struct device_record *record, const char *name);

/* For match_personality(). */
struct match_device device_match(const struct device_record *record);

/* Classes of the nub, most derived first; at most 8 are written. */
size_t device_classes(const struct device_record *record, const char **classes);

/* What the record answers to. Returns false when something is unknown, or it has more names than
 * fit: then every personality has to be looked at. The strings live as long as the record. */
enum { DEVICE_KEY_NAMES_MAX = 32 };
struct device_keys {
    uint32_t registers[2];
    const char *names[DEVICE_KEY_NAMES_MAX];
    struct catalogue_keys keys;
};
bool device_keys_make(const struct device_record *record, struct device_keys *keys);

#endif
