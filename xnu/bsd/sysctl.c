/* SPDX-License-Identifier: BSD-3-Clause */
/* sysctl.c - sysctl nodes of drivers and reading them by name (xnu bsd/kern/kern_newsysctl.c).
 *
 * Nodes hang in the lists of their parents; a name is the path of node names joined by dots.
 * Handlers run on the thread that asks. */
#include "xnu/bsd/sysctl.h"

#include "xnu/bsd/kpi.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/threads.h"

#include "abi/constants.h"
#include "abi/constants/errno.h"
#include "abi/kpi/sysctl.h"

/* What a handler is given (LP64 layout of struct sysctl_req). */
struct sysctl_req {
    proc_t process;
    int lock;
    uint64_t old_pointer;
    size_t old_length, old_index;
    int (*old_function)(struct sysctl_req *request, const void *data, size_t size);
    uint64_t new_pointer;
    size_t new_length, new_index;
    int (*new_function)(struct sysctl_req *request, void *data, size_t size);
};
_Static_assert(sizeof(struct sysctl_req) == 80, "sysctl_req");

KPI_DATA(struct sysctl_oid_list, sysctl__children);
KPI_DATA(struct sysctl_oid_list, sysctl__kern_children);
KPI_DATA(struct sysctl_oid_list, sysctl__debug_children);
KPI_DATA(struct sysctl_oid_list, sysctl__machdep_children);
KPI_DATA(struct sysctl_oid_list, sysctl__net_children);

/* ---- nodes of the kernel's own --------------------------------------------------------------- */

/* vm.page_free_count, an int (xnu bsd/vm/vm_unix.c). */
static int say_free_pages(struct sysctl_oid *oid, void *unused, int unused2,
                          struct sysctl_req *request)
{
    struct machine_memory_statistics memory;

    machine_memory_statistics(&memory);
    return sysctl_handle_int(oid, NULL,
                             (int)(memory.ram_bytes / MACHINE_PAGE_SIZE - memory.pages_used),
                             request);
}

static struct sysctl_oid page_free_count = {
    .oid_parent = &sysctl__vm_children,
    .oid_number = OID_AUTO,
    .oid_kind = (int)(CTLTYPE_INT | CTLFLAG_RD | CTLFLAG_OID2),
    .oid_name = "page_free_count",
    .oid_handler = say_free_pages,
    .oid_fmt = "IU",
    .oid_descr = "",
    .oid_version = 1,
};
KPI_DATA(struct sysctl_oid_list, sysctl__vm_children) = { &page_free_count };

static struct machine_spin_lock lock;

/* The nodes of the kernel itself that have children of their own. */
static const struct {
    const char *name;
    struct sysctl_oid_list *children;
} roots[] = {
    { "kern", &sysctl__kern_children },       { "debug", &sysctl__debug_children },
    { "machdep", &sysctl__machdep_children }, { "net", &sysctl__net_children },
    { "vm", &sysctl__vm_children },
};

KPI(void, sysctl_register_oid, (struct sysctl_oid *oid))
{
    machine_spin_lock(&lock);
    oid->oid_link = oid->oid_parent->slh_first;
    oid->oid_parent->slh_first = oid;
    machine_spin_unlock(&lock);
}

KPI(void, sysctl_unregister_oid, (struct sysctl_oid *oid))
{
    machine_spin_lock(&lock);
    struct sysctl_oid **link = &oid->oid_parent->slh_first;
    while (*link && *link != oid)
        link = &(*link)->oid_link;
    if (*link)
        *link = oid->oid_link;
    machine_spin_unlock(&lock);
}

/* ---- looking up ------------------------------------------------------------------------------ */

static bool same_part(const char *name, const char *part, size_t length)
{
    return __builtin_strlen(name) == length && __builtin_memcmp(name, part, length) == 0;
}

static size_t part_length(const char *name)
{
    size_t length = 0;

    while (name[length] != '\0' && name[length] != '.')
        length++;
    return length;
}

static struct sysctl_oid_list *root_list(const char **name)
{
    size_t length = part_length(*name);

    for (unsigned i = 0; i < sizeof roots / sizeof roots[0]; i++) {
        if (same_part(roots[i].name, *name, length) && (*name)[length] == '.') {
            *name += length + 1;
            return roots[i].children;
        }
    }
    return &sysctl__children;
}

static struct sysctl_oid *find(const char *name)
{
    struct sysctl_oid_list *list = root_list(&name);

    for (;;) {
        size_t length = part_length(name);
        struct sysctl_oid *oid = list->slh_first;
        while (oid && !same_part(oid->oid_name, name, length))
            oid = oid->oid_link;
        if (!oid || name[length] == '\0')
            return oid;
        if ((oid->oid_kind & CTLTYPE) != CTLTYPE_NODE || !oid->oid_arg1)
            return NULL;
        list = oid->oid_arg1;
        name += length + 1;
    }
}

/* ---- reading and writing --------------------------------------------------------------------- */

static int copy_old(struct sysctl_req *request, const void *data, size_t size)
{
    size_t room = request->old_length > request->old_index
                      ? request->old_length - request->old_index : 0;

    if (request->old_pointer)
        __builtin_memcpy((char *)request->old_pointer + request->old_index, data,
                         size < room ? size : room);
    request->old_index += size;
    return request->old_pointer && size > room ? ENOMEM : 0;
}

static int copy_new(struct sysctl_req *request, void *data, size_t size)
{
    if (!request->new_pointer)
        return 0;
    if (request->new_length - request->new_index < size)
        return EINVAL;
    __builtin_memcpy(data, (char *)request->new_pointer + request->new_index, size);
    request->new_index += size;
    return 0;
}

KPI_AS(int, kernel_sysctlbyname, sysctlbyname,
       (const char *name, void *old, size_t *old_size, void *new_value, size_t new_size))
{
    struct sysctl_req request = {
        .old_pointer = (uintptr_t)old,
        .old_length = old_size ? *old_size : 0,
        .old_function = copy_old,
        .new_pointer = (uintptr_t)new_value,
        .new_length = new_size,
        .new_function = copy_new,
    };

    machine_spin_lock(&lock);
    struct sysctl_oid *oid = find(name);
    machine_spin_unlock(&lock);
    if (!oid)
        return ENOENT;
    if ((oid->oid_kind & CTLTYPE) == CTLTYPE_NODE || !oid->oid_handler)
        return EISDIR;
    if (new_value && !((uint32_t)oid->oid_kind & CTLFLAG_WR))
        return EPERM;
    int error = oid->oid_handler(oid, oid->oid_arg1, oid->oid_arg2, &request);
    if (old_size)
        *old_size = request.old_index;
    return error;
}

/* A value of fixed size at arg1, or arg2 itself when there is none. */
static int handle_value(void *value, size_t size, struct sysctl_req *request)
{
    int error = request->old_function(request, value, size);

    if (error || !request->new_pointer)
        return error;
    return request->new_function(request, value, size);
}

KPI(int, sysctl_handle_int,
    (struct sysctl_oid * oid, void *arg1, int arg2, struct sysctl_req *request))
{
    if (arg1)
        return handle_value(arg1, sizeof(int), request);
    return request->new_pointer ? EPERM : request->old_function(request, &arg2, sizeof arg2);
}

KPI(int, sysctl_handle_long,
    (struct sysctl_oid * oid, void *arg1, int arg2, struct sysctl_req *request))
{
    return arg1 ? handle_value(arg1, sizeof(long), request) : EINVAL;
}

KPI(int, sysctl_handle_quad,
    (struct sysctl_oid * oid, void *arg1, int arg2, struct sysctl_req *request))
{
    return arg1 ? handle_value(arg1, sizeof(uint64_t), request) : EINVAL;
}

KPI(int, sysctl_handle_opaque, (struct sysctl_oid *oid, void *arg1, int arg2,
                                struct sysctl_req *request))
{
    return arg1 && arg2 >= 0 ? handle_value(arg1, (size_t)arg2, request) : EINVAL;
}

/* arg2 is the room for the string, its NUL included; 0: the string is constant. */
KPI(int, sysctl_handle_string, (struct sysctl_oid *oid, void *arg1, int arg2,
                                struct sysctl_req *request))
{
    char *text = arg1;
    int error = request->old_function(request, text, __builtin_strlen(text) + 1);

    if (error || !request->new_pointer)
        return error;
    size_t size = request->new_length - request->new_index;
    if (arg2 <= 0 || size >= (size_t)arg2)
        return EINVAL;
    error = request->new_function(request, text, size);
    text[size] = '\0';
    return error;
}
