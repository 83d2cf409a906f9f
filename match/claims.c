/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/claims.h"

#include "match/classes.h"
#include "match/file.h"
#include "match/plist_private.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct collector {
    struct claims *claims;
    const struct plist *personality;
    unsigned release;
    const struct pci_ids *names;
    size_t limit;
    struct claim_set primary;
    struct claim_set secondary;
    struct claim_set class;
    struct claim_set named; /* what IONameMatch says of PCI ids */
    bool foreign_name;      /* and it has names that are no PCI ids */
};

/* The slot of an equal claim, or a free one. Claims are compared byte by byte. */
static uint32_t *find_slot(const struct claims *claims, const struct claim *claim)
{
    size_t mask = claims->table_size - 1;
    size_t at = (size_t)plist_hash_bytes(claim, sizeof *claim) & mask;

    while (claims->table[at] != 0 &&
           memcmp(&claims->list[claims->table[at] - 1], claim, sizeof *claim) != 0)
        at = (at + 1) & mask;
    return &claims->table[at];
}

/* Room for one claim more, and a table that is at most half full. */
static bool make_room(struct claims *claims)
{
    size_t capacity = claims->capacity == 0 ? 16 : claims->capacity * 2;
    struct claim *grown;
    size_t index;

    if (claims->count < claims->capacity)
        return true;
    grown = realloc(claims->list, capacity * sizeof *grown);
    if (grown == NULL)
        return false;
    claims->list = grown;
    claims->capacity = capacity;
    free(claims->table);
    claims->table_size = capacity * 2;
    claims->table = calloc(claims->table_size, sizeof *claims->table);
    for (index = 0; claims->table != NULL && index < claims->count; index++)
        *find_slot(claims, &claims->list[index]) = (uint32_t)index + 1;
    return claims->table != NULL;
}

static bool add_claim(struct claims *claims, const struct claim *claim)
{
    uint32_t *slot;

    if (claims->count >= CLAIMS_MAX) {
        claims_note(claims, true, "more than %d ids", CLAIMS_MAX);
        return true;
    }
    if (!make_room(claims))
        return false;
    slot = find_slot(claims, claim);
    if (*slot != 0)
        return true; /* said already */
    claims->list[claims->count++] = *claim;
    *slot = (uint32_t)claims->count;
    return true;
}

static bool add_text(struct claims *claims, enum claim_kind kind, const char *text)
{
    struct claim claim;

    memset(&claim, 0, sizeof claim);
    claim.kind = kind;
    snprintf(claim.text, sizeof claim.text, "%s", text);
    return add_claim(claims, &claim);
}

/* ---- names ---- */

struct generic_name {
    const char *name;
    unsigned class;
};

static const struct generic_name generic_names[] = {
    { "ethernet", 0x0200 }, { "scsi", 0x0100 },    { "pci-bridge", 0x0604 }, { "display", 0x0001 },
    { "display", 0x0300 },  { "display", 0x0301 }, { "display", 0x0302 },    { "display", 0x0380 },
};

/* "pci8086,15b8", "pci8086,*", "pciclass,020000", "ethernet". Returns false when it is none of
 * these. */
static bool read_pci_name(struct collector *collector, const char *name, bool *memory)
{
    struct windows_pci_id id = { .has_vendor = false };
    char canonical[32];
    unsigned first;
    unsigned second;
    bool known = false;
    size_t index;

    if (sscanf(name, "pci%4x,%4x", &first, &second) == 2) {
        snprintf(canonical, sizeof canonical, "pci%x,%x", first, second);
        if (strcmp(canonical, name) != 0)
            return false;
        id = (struct windows_pci_id){
            .has_vendor = true, .has_device = true, .vendor = first, .device = second
        };
        *memory = claim_set_add(&collector->named, &id);
        return true;
    }
    if (sscanf(name, "pci%4x,", &first) == 1 &&
        snprintf(canonical, sizeof canonical, "pci%x,*", first) > 0 &&
        strcmp(canonical, name) == 0) {
        id = (struct windows_pci_id){ .has_vendor = true, .vendor = first };
        *memory = claim_set_add(&collector->named, &id);
        return true;
    }
    if (strncmp(name, "pciclass,", 9) == 0 && strlen(name) == 15 &&
        hexadecimal_number(name + 9, 6, 6, &first)) {
        id.class_digits = 6;
        id.class = first;
        *memory = claim_set_add(&collector->named, &id);
        return true;
    }
    for (index = 0; index < sizeof generic_names / sizeof *generic_names; index++) {
        if (strcmp(generic_names[index].name, name) != 0)
            continue;
        known = true;
        id.class_digits = 4;
        id.class = generic_names[index].class;
        *memory = *memory && claim_set_add(&collector->named, &id);
    }
    return known;
}

static bool is_acpi_id(const char *name)
{
    size_t letters = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    unsigned number;

    return (letters == 3 || letters == 4) && strlen(name) == letters + 4 &&
           hexadecimal_number(name + letters, 4, 4, &number);
}

static bool read_name(struct collector *collector, const char *name, bool pci)
{
    bool memory = true;

    if (pci && read_pci_name(collector, name, &memory))
        return memory;
    if (!pci && is_acpi_id(name))
        return add_text(collector->claims, CLAIM_ACPI, name);
    collector->foreign_name = true;
    if (collector->primary.present || collector->class.present)
        claims_note(collector->claims, true,
                    "IONameMatch \"%.60s\" together with register keys: no id says that", name);
    else
        claims_note(collector->claims, true, "IONameMatch \"%.60s\": no id says that", name);
    return add_text(collector->claims, CLAIM_NAME, name);
}

static bool read_names(struct collector *collector, bool pci)
{
    const struct plist *names = plist_get(collector->personality, "IONameMatch");
    bool is_string = plist_is(names, PLIST_STRING);
    size_t count = is_string ? 1 : plist_count(names);
    size_t index;

    collector->named.present = names != NULL;
    for (index = 0; index < count; index++) {
        const char *name = plist_string(is_string ? names : plist_value_at(names, index));

        if (name == NULL)
            break;
        if (!read_name(collector, name, pci))
            return false;
    }
    return true;
}

/* ---- the product of the keys ---- */

static bool agree(const struct windows_pci_id *left, const struct windows_pci_id *right)
{
    return (!left->has_vendor || !right->has_vendor || left->vendor == right->vendor) &&
           (!left->has_device || !right->has_device || left->device == right->device);
}

static void unite(struct windows_pci_id *whole, const struct windows_pci_id *part)
{
    if (part->has_vendor) {
        whole->has_vendor = true;
        whole->vendor = part->vendor;
    }
    if (part->has_device) {
        whole->has_device = true;
        whole->device = part->device;
    }
    if (part->has_subsystem) {
        whole->has_subsystem = true;
        whole->subsystem = part->subsystem;
    }
    if (part->has_revision) {
        whole->has_revision = true;
        whole->revision = part->revision;
    }
    if (part->class_digits > whole->class_digits) {
        whole->class_digits = part->class_digits;
        whole->class = part->class;
    }
}

/* Every alternative of `set` with every id so far; an absent key leaves all as they are. */
static bool multiply(struct collector *collector, struct claim_set *product,
                     const struct claim_set *set)
{
    struct claim_set result = { .present = true };
    size_t left;
    size_t right;

    if (!set->present)
        return true;
    for (left = 0; left < product->count; left++)
        for (right = 0; right < set->count; right++) {
            struct windows_pci_id id = product->list[left];

            if (!agree(&id, &set->list[right]))
                continue;
            if (result.count >= CLAIMS_MAX) {
                claims_note(collector->claims, true, "the lists multiply to more than %d ids",
                            CLAIMS_MAX);
                goto done;
            }
            unite(&id, &set->list[right]);
            if (!claim_set_add(&result, &id)) {
                free(result.list);
                return false;
            }
        }
done:
    free(product->list);
    *product = result;
    return true;
}

static const char *why_not(const struct windows_pci_id *id)
{
    if (id->has_subsystem && !id->has_device)
        return "a subsystem alone";
    if (id->has_revision && !id->has_device)
        return "a revision without vendor and device";
    if (id->class_digits != 0 && (id->has_subsystem || id->has_revision))
        return "a class together with a subsystem or revision";
    return "nothing at all";
}

static bool add_product(struct collector *collector, const struct claim_set *product)
{
    size_t index;

    for (index = 0; index < product->count; index++) {
        const struct windows_pci_id *id = &product->list[index];
        struct claim claim;

        memset(&claim, 0, sizeof claim); /* claims are compared byte by byte */
        claim.kind = CLAIM_PCI;
        unite(&claim.pci, id);
        if (!id->has_vendor && !id->has_device && !id->has_subsystem && !id->has_revision &&
            id->class_digits == 0)
            continue;
        if (!windows_pci_id_is_generated(&claim.pci)) {
            claims_note(collector->claims, true, "%s: no id that Windows makes says that",
                        why_not(id));
            continue;
        }
        if (!add_claim(collector->claims, &claim))
            return false;
    }
    return true;
}

static void note_other_keys(struct collector *collector)
{
    static const char *const limiting[] = { "IOPropertyMatch", "IOPropertyExistsMatch",
                                            "IOParentMatch",   "IOLocationMatch",
                                            "IOPathMatch",     "IOResourceMatch" };
    static const char *const dropped[] = { "IOProbeScore", "IOPCITunnelCompatible",
                                           "IOMatchCategory" };
    size_t index;

    for (index = 0; index < sizeof limiting / sizeof *limiting; index++)
        if (plist_get(collector->personality, limiting[index]) != NULL)
            claims_note(collector->claims, true, "%s narrows the match: no id says that",
                        limiting[index]);
    for (index = 0; index < sizeof dropped / sizeof *dropped; index++)
        if (plist_get(collector->personality, dropped[index]) != NULL)
            claims_note(collector->claims, false, "%s has no counterpart in an INF file",
                        dropped[index]);
}

static bool read_registers(struct collector *collector)
{
    const struct plist *primary = plist_get(collector->personality, "IOPCIPrimaryMatch");
    const struct plist *either = plist_get(collector->personality, "IOPCIMatch");
    struct claims *claims = collector->claims;

    if (primary != NULL && either != NULL)
        claims_note(claims, true,
                    "IOPCIMatch and IOPCIPrimaryMatch must both hold: only the latter is said");
    else if (either != NULL)
        claims_note(claims, true,
                    "IOPCIMatch also takes devices by their subsystem: no id says that half");
    return claims_read_primary(claims, primary != NULL ? primary : either,
                               primary != NULL ? "IOPCIPrimaryMatch" : "IOPCIMatch",
                               collector->release, collector->limit, &collector->primary) &&
           claims_read_secondary(claims, plist_get(collector->personality, "IOPCISecondaryMatch"),
                                 collector->release, &collector->secondary) &&
           claims_read_class(claims, plist_get(collector->personality, "IOPCIClassMatch"),
                             collector->release, collector->names, collector->limit,
                             &collector->class);
}

static bool collect_pci(struct collector *collector)
{
    static const struct windows_pci_id nothing;
    struct claim_set product = { .present = true };
    bool registers;
    bool done;

    if (!read_registers(collector) || !read_names(collector, true) ||
        !claim_set_add(&product, &nothing))
        return false;
    registers =
        collector->primary.present || collector->secondary.present || collector->class.present;
    if (collector->foreign_name && !registers)
        product.count = collector->named.count > 0 ? product.count : 0;
    done = multiply(collector, &product, &collector->primary) &&
           multiply(collector, &product, &collector->named) &&
           multiply(collector, &product, &collector->secondary) &&
           multiply(collector, &product, &collector->class) && add_product(collector, &product);
    free(product.list);
    if (done && !registers && !collector->named.present)
        claims_note(collector->claims, true,
                    "no key but the provider class: every device of it is taken");
    return done;
}

bool claims_collect(const struct plist *personality, unsigned release, const struct pci_ids *names,
                    size_t limit, struct claims *claims)
{
    struct collector collector = { .claims = claims,
                                   .personality = personality,
                                   .release = release,
                                   .names = names,
                                   .limit = limit };
    const char *provider = plist_string(plist_get(personality, "IOProviderClass"));
    const char *channel = plist_string(plist_get(personality, "HVType"));
    bool done = true;

    *claims = (struct claims){ .list = NULL };
    if (provider == NULL)
        claims_note(claims, true, "no string IOProviderClass: the personality takes no device");
    else if (channel != NULL)
        done = add_text(claims, CLAIM_CHANNEL, channel);
    else if (strcmp(provider, "IOPCIDevice") == 0 || strcmp(provider, "IOService") == 0)
        done = collect_pci(&collector);
    else if (class_is(provider, "IOPlatformDevice"))
        done = read_names(&collector, false);
    else
        claims_note(claims, true, "devices of class %.60s have no ids of PCI, ACPI or VMBus",
                    provider);
    note_other_keys(&collector);
    free(collector.primary.list);
    free(collector.secondary.list);
    free(collector.class.list);
    free(collector.named.list);
    free(claims->table);
    claims->table = NULL;
    return done;
}

void claims_clear(struct claims *claims)
{
    free(claims->list);
    *claims = (struct claims){ .list = NULL };
}

void claim_windows_id(const struct claim *claim, char text[WINDOWS_ID_SIZE])
{
    size_t index;

    text[0] = '\0';
    if (claim->kind == CLAIM_PCI) {
        windows_pci_id_format(&claim->pci, text);
    } else if (claim->kind == CLAIM_ACPI) {
        snprintf(text, WINDOWS_ID_SIZE, "ACPI\\%.80s", claim->text);
    } else if (claim->kind == CLAIM_CHANNEL) {
        snprintf(text, WINDOWS_ID_SIZE, "VMBUS\\{%.40s}", claim->text);
        for (index = strlen("VMBUS\\"); text[index] != '\0'; index++)
            text[index] = (char)toupper((unsigned char)text[index]);
    }
}
