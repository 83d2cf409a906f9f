/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads abi/tables for the tests: which symbol occupies which slot of a class in a release. Written
 * apart from the generator, so that the two check each other. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define MAX_SLOTS 512

struct abi_tables;

/* Reads classes.tsv and vtables-<architecture>.tsv of the folder. Ends the program on an error. */
struct abi_tables *abi_tables_read(const char *folder, const char *architecture);
void abi_tables_free(struct abi_tables *tables);

size_t abi_class_count(const struct abi_tables *tables);
const char *abi_class_name(const struct abi_tables *tables, size_t index);

/* Size of an instance in bytes in a release (six digits), 0: the class is not in that release. */
uint32_t abi_class_size(const struct abi_tables *tables, const char *name, uint32_t release);

/* Fills symbols[slot] (NULL: no occupant) and returns the number of slots. A pure slot holds
 * "___cxa_pure_virtual". The strings belong to `tables`. */
size_t abi_class_slots(const struct abi_tables *tables, const char *name, uint32_t release,
                       const char *symbols[MAX_SLOTS]);
