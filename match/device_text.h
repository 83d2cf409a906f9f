/* SPDX-License-Identifier: BSD-3-Clause */
/* Devices out of texts of every form that people have: one reader a form, all append to a
 * device_list. */
#ifndef MACHV_MATCH_DEVICE_TEXT_H
#define MACHV_MATCH_DEVICE_TEXT_H

#include "match/device_record.h"

/* One device as a word: "8086:15b8/1458:e000/020000/31", a Windows hardware id, "pci8086,15b8",
 * "PNP0A03", ... Returns false after reporting to `problems` when it is none of them. */
bool device_read_word(const char *word, const char *source, size_t line, struct device_list *list,
                      struct problems *problems);

/* A file of any form ("-": standard input). `list->format` says what it was taken for. Returns
 * false when it could not be read or holds no device; what was wrong is in `problems`, and what was
 * good is in the list all the same. */
bool device_read_file(const char *path, struct device_list *list, struct problems *problems);
/* The same for a text in memory. */
bool device_read_text(const char *text, size_t size, const char *source, struct device_list *list,
                      struct problems *problems);

/* The readers of the single forms. Return the number of devices added. */
size_t device_read_lspci(const char *text, size_t size, const char *source,
                         struct device_list *list, struct problems *problems);
size_t device_read_lspci_machine(const char *text, size_t size, const char *source,
                                 struct device_list *list, struct problems *problems); /* -vmm */
size_t device_read_kernel_log(const char *text, size_t size, const char *source,
                              struct device_list *list, struct problems *problems);
size_t device_read_ioreg(const char *text, size_t size, const char *source,
                         struct device_list *list, struct problems *problems);
size_t device_read_windows_list(const char *text, size_t size, const char *source,
                                struct device_list *list, struct problems *problems);
size_t device_read_plist(const char *text, size_t size, const char *source,
                         struct device_list *list, struct problems *problems);

/* PCI functions, ACPI devices and VMBus channels of a running Linux, below `root` (normally
 * "/sys"). */
size_t device_read_sysfs(const char *root, struct device_list *list, struct problems *problems);

/* Class of the nub for an entry of the I/O Registry of class `class_name`, as far as it is a nub
 * that drivers match on; NULL when it is none. */
const char *device_nub_class(const char *class_name);

#endif
