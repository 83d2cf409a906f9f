/* SPDX-License-Identifier: BSD-3-Clause */
/* What the reading and the editing half of config_document share. */
#ifndef MACHV_SETUP_CONFIG_PRIVATE_H
#define MACHV_SETUP_CONFIG_PRIVATE_H

#include "setup/config_document.h"

struct config_node {
    enum config_type type;
    bool truth;   /* of <true/> */
    bool closed;  /* written as <dict/>, or without content */
    size_t start; /* the element, tags included */
    size_t end;
    size_t content; /* between the tags */
    size_t content_end;
    size_t key_start; /* of the <key> element before it; `start` in arrays */
    const char *key;  /* decoded, in document->keys; NULL in arrays */
    int parent;
    int first;
    int last;
    int next;
    unsigned count;
};

struct config_document {
    char *text;
    size_t size;
    struct config_node *nodes;
    char *keys; /* every decoded key, one after the other */
    size_t keys_size;
    int node_count;
    int node_capacity;
};

/* Builds the index of document->text. */
bool config_scan(struct config_document *document, struct setup_error *error);
/* Decodes text between tags into `to`, which has room for `length` bytes and a NUL. Returns its
 * length. */
size_t config_decode_text(const char *from, size_t length, char *to);
void config_clear_index(struct config_document *document);

#endif
