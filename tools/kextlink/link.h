/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * link.h: what the parts of kextlink share. One link goes through these steps, one file each:
 *
 *   object.c         reads each input object (hostile bytes) into sections and symbols
 *   symbols.c        joins the symbols of all objects, and orders those of the output
 *   layout.c         gathers input sections into output sections and gives everything an address
 *   relocate*.c      writes the final bytes and lists the relocations that the kernel must still do
 *   check_*.c        refuses what a kernel's kext linker would refuse, or worse, accept in silence
 *   write_*.c        header, load commands, symbol and relocation tables around the bytes
 *
 * All memory belongs to the link's arena. A fault in the input is reported by link_error(); the
 * link goes on to find more faults where that is safe, and yields no output if there was any.
 */
#ifndef TOOLS_KEXTLINK_LINK_H
#define TOOLS_KEXTLINK_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/kextlink/macho.h"
#include "tools/kextlink/memory.h"

enum architecture {
    ARCHITECTURE_ANY, /* not chosen yet: the first object decides */
    ARCHITECTURE_I386,
    ARCHITECTURE_X86_64,
};

enum { PAGE_SIZE_X86 = 0x1000 };

struct output_section;
struct object;

struct symbol {
    const char *name;
    const struct object *object;   /* defining object, or the first that refers to it */
    struct input_section *section; /* where it is defined; NULL = not defined here */
    uint64_t offset;               /* within section */
    uint8_t absolute : 1;          /* N_ABS: has no section; refused when something refers to it */
    uint8_t external : 1;          /* takes part in resolution between objects */
    uint8_t private_external : 1;  /* external to the objects, local in the kext */
    uint8_t used : 1;              /* an import: some fixup names it */
    uint8_t used_in_table : 1;     /* an import: named by a word of a virtual table */
    uint8_t used_elsewhere : 1;    /* an import: called, or its address taken, outside of tables */
    uint8_t has_got_slot : 1;
    uint8_t in_output : 1;
    uint32_t got_index;
    uint32_t output_index;         /* in the output's symbol table, if in_output */
    struct symbol *next_in_bucket;
};

struct input_section {
    const struct object *object;
    char segment[17];
    char name[17];
    uint64_t address; /* in the object */
    uint64_t size;
    const uint8_t *content; /* NULL: zerofill */
    uint32_t alignment;     /* power of two */
    uint32_t flags;
    const uint8_t *relocations;
    uint32_t relocation_count;
    struct output_section *output; /* NULL: dropped */
    uint64_t output_address;
};

/* One relocation entry, decoded. */
struct relocation {
    uint32_t address; /* offset in the section */
    uint32_t symbol;  /* symbol index if external, else 1-based section ordinal (0 = absolute) */
    uint32_t value;   /* scattered only: address of the target in the object */
    uint8_t type;
    uint8_t length; /* log2 of the number of bytes */
    bool pc_relative;
    bool external;
    bool scattered;
};

struct object {
    const char *name; /* file name, for messages */
    enum architecture architecture;
    struct input_section *sections;
    uint32_t section_count;
    struct symbol **symbols; /* by index in the object; NULL = a debugging entry */
    uint32_t symbol_count;
};

struct output_section {
    const char *segment;
    const char *name;
    uint32_t flags;
    uint32_t alignment;
    uint64_t address;
    uint64_t size;
    bool zerofill;
    uint32_t ordinal; /* 1-based, in output order */
    struct input_section **pieces;
    size_t piece_count;
};

enum fixup_kind {
    FIXUP_LOCAL_POINTER,   /* the word holds an address in the kext: slide it */
    FIXUP_IMPORT_POINTER,  /* add the address of `symbol` */
    FIXUP_IMPORT_BRANCH,   /* a pc-relative reference to `symbol` */
};

/* What the kernel still has to do to one word of the output. */
struct fixup {
    uint64_t address;
    enum fixup_kind kind;
    struct symbol *symbol;               /* imports only */
    const struct output_section *target; /* local pointers only: the section pointed into */
    const struct output_section *place;
    const struct object *object;         /* where it comes from */
};

/* A virtual table of this kext, header and terminator included. */
struct table {
    const struct symbol *symbol;
    uint64_t address;
    size_t slot_count;
};

/* What a relocation of an input section refers to. */
struct target {
    struct symbol *symbol;         /* NULL if it names a section only */
    struct input_section *section; /* NULL for an import */
};

struct imports; /* imports.h */

struct link {
    enum architecture architecture;
    struct arena arena;
    FILE *messages;
    unsigned int error_count;

    struct object **objects;
    size_t object_count;

    struct symbol **symbol_buckets;
    struct symbol **symbols; /* every external symbol, in order of first appearance */
    size_t symbol_count;

    struct symbol **got; /* targets of the slots of __DATA,__got */
    size_t got_count;
    struct output_section *got_section;

    struct output_section *sections; /* those with content, in output order */
    size_t section_count;
    uint64_t header_size;
    uint64_t file_backed_end; /* address where the content of the last non-zerofill section ends */
    uint64_t end;             /* address where the last section ends */

    uint8_t *image; /* the content, indexed by address */
    struct fixup *fixups; /* sorted by address once relocated */
    size_t fixup_count;

    struct symbol **output_symbols; /* locals, then defined externals, then imports */
    size_t local_count, defined_count, import_count;
    struct symbol **by_address; /* the locals and defined externals */

    struct table *tables;
    size_t table_count;

    const struct imports *imports; /* NULL: no table was given */
    const char *expected_identifier, *expected_version; /* of the Info.plist; NULL = not given */

    uint8_t *output; /* the linked file */
    size_t output_size;
};

struct link_input {
    const char *name;
    const uint8_t *bytes;
    size_t size;
};

/* Links `count` objects held in memory. Returns true and sets link->output and output_size, or
 * returns false after at least one message on link->messages. Before the call the caller has set
 * architecture, messages, imports and expected_*; the rest is zero. link_free() afterwards. */
bool link_objects(struct link *link, const struct link_input *inputs, size_t count);
void link_free(struct link *link);

/* One line on link->messages: "kextlink: error: " and the text. Counts towards the refusal. */
void link_error(struct link *link, const char *format, ...) __attribute__((format(printf, 2, 3)));
void link_warning(struct link *link, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The steps; those that return bool stop the link with false, the others count errors. */
bool object_read(struct link *link, const struct link_input *input);
void relocation_read(const struct input_section *section, uint32_t index, struct relocation *out);

struct symbol *symbol_enter(struct link *link, const char *name);
struct symbol *symbol_find(const struct link *link, const char *name); /* NULL: unknown name */
void symbols_order(struct link *link);
/* Is it external in the output? Only what kernels look up in a kext is: classes and kmod_info.
 * Names of C functions stay local: kld of 10.4 refuses one that a library also has. */
bool symbol_is_exported(const struct symbol *symbol);
uint64_t symbol_address(const struct symbol *symbol); /* of a symbol that is defined here */
/* The symbol at exactly this address (an external one if there are several), or NULL. */
const struct symbol *symbol_at(const struct link *link, uint64_t address);

bool layout_sections(struct link *link);

/* Calls the architecture's relocate_section for every piece, then sorts the fixups. */
void relocate(struct link *link);
void relocate_section_x86_64(struct link *link, const struct input_section *section);
void relocate_section_i386(struct link *link, const struct input_section *section);
void fill_got_x86_64(struct link *link);
/* False, with a message, if the relocation's target or place is not in what is linked. */
bool relocation_target(struct link *link, const struct input_section *section,
                       const struct relocation *relocation, struct target *out);
void relocation_error(struct link *link, const struct input_section *section,
                      const struct relocation *relocation, const char *text);
/* Records a pointer whose final value in the image is already stored at `address`. */
void fixup_local(struct link *link, const struct input_section *section, uint64_t address,
                 const struct input_section *target);
void fixup_import(struct link *link, const struct input_section *section, uint64_t address,
                  enum fixup_kind kind, struct symbol *symbol);
const struct fixup *fixup_at(const struct link *link, uint64_t address); /* NULL: none */

void check_module(struct link *link);
void check_classes(struct link *link);
void check_imports(struct link *link);

void write_kext_bundle(struct link *link); /* x86_64 */
void write_object(struct link *link);      /* i386 */
bool write_map(const struct link *link, FILE *file);

static inline size_t word_size(const struct link *link)
{
    return link->architecture == ARCHITECTURE_X86_64 ? 8 : 4;
}

static inline uint64_t align_up(uint64_t value, uint64_t alignment)
{
    return (value + alignment - 1) & ~(alignment - 1);
}

uint32_t load_u32(const uint8_t *bytes);
uint64_t load_u64(const uint8_t *bytes);
void store_u32(uint8_t *bytes, uint32_t value);
void store_u64(uint8_t *bytes, uint64_t value);
uint64_t load_word(const struct link *link, uint64_t address); /* from the image */

const char *architecture_name(enum architecture architecture);

#endif
