/* SPDX-License-Identifier: BSD-3-Clause */
/* mbuf_offload.c - packet header extras: checksum and segmentation offload, VLAN, tags, classes. */
#include "xnu/bsd/mbuf_private.h"

#include "abi/constants/errno.h"
#include "xnu/bsd/kpi.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/threads.h"

enum { TAG_MODULES_MAX = 64, MODULE_NAME_MAX = 96, FIRST_MODULE_ID = 1000 };

static char tag_modules[TAG_MODULES_MAX][MODULE_NAME_MAX];
static struct machine_spin_lock tag_modules_lock;

KPI(errno_t, mbuf_get_csum_requested, (mbuf_t mbuf, mbuf_csum_request_flags_t *request,
                                       uint32_t *value))
{
    if (!mbuf || !(mbuf->flags & MBUF_PKTHDR) || !request || !value)
        return EINVAL;
    *request = mbuf->checksum_requested;
    *value = mbuf->checksum_start;
    return 0;
}

KPI(errno_t, mbuf_set_csum_requested, (mbuf_t mbuf, mbuf_csum_request_flags_t request,
                                       uint32_t value))
{
    mbuf->checksum_requested = request;
    mbuf->checksum_start = value;
    return 0;
}

KPI(errno_t, mbuf_clear_csum_requested, (mbuf_t mbuf))
{
    return mbuf_set_csum_requested(mbuf, 0, 0);
}

KPI(errno_t, mbuf_set_csum_performed, (mbuf_t mbuf, mbuf_csum_performed_flags_t flags,
                                       uint32_t value))
{
    mbuf->checksum_performed = flags;
    mbuf->checksum_value = value;
    return 0;
}

KPI(errno_t, mbuf_get_csum_performed, (mbuf_t mbuf, mbuf_csum_performed_flags_t *flags,
                                       uint32_t *value))
{
    *flags = mbuf->checksum_performed;
    *value = mbuf->checksum_value;
    return 0;
}

KPI(errno_t, mbuf_clear_csum_performed, (mbuf_t mbuf))
{
    return mbuf_set_csum_performed(mbuf, 0, 0);
}

KPI(errno_t, mbuf_get_tso_requested, (mbuf_t mbuf, mbuf_tso_request_flags_t *request,
                                      uint32_t *value))
{
    if (!mbuf || !(mbuf->flags & MBUF_PKTHDR) || !request || !value)
        return EINVAL;
    *request = mbuf->tso_requested;
    *value = mbuf->tso_requested ? mbuf->tso_segment_size : 0;
    return 0;
}

KPI(errno_t, mbuf_set_vlan_tag, (mbuf_t mbuf, uint16_t tag))
{
    mbuf->vlan_tag = tag;
    mbuf->vlan_valid = true;
    return 0;
}

KPI(errno_t, mbuf_get_vlan_tag, (mbuf_t mbuf, uint16_t *tag))
{
    if (!mbuf->vlan_valid)
        return ENXIO;
    *tag = mbuf->vlan_tag;
    return 0;
}

KPI(errno_t, mbuf_clear_vlan_tag, (mbuf_t mbuf))
{
    mbuf->vlan_valid = false;
    return 0;
}

/* A driver has changed the data: what the hardware checked no longer holds. */
KPI(void, mbuf_inbound_modified, (mbuf_t mbuf))
{
    mbuf->checksum_performed = 0;
}

KPI(mbuf_traffic_class_t, mbuf_get_traffic_class, (mbuf_t mbuf))
{
    return mbuf->flags & MBUF_PKTHDR ? mbuf->traffic_class : MBUF_TC_BE;
}

KPI(errno_t, mbuf_set_traffic_class, (mbuf_t mbuf, mbuf_traffic_class_t class))
{
    if (!(mbuf->flags & MBUF_PKTHDR) || (unsigned)class > MBUF_TC_VO)
        return EINVAL;
    mbuf->traffic_class = class;
    return 0;
}

KPI(int, mbuf_is_traffic_class_privileged, (mbuf_t mbuf))
{
    return 0;
}

/* ---- tags ----------------------------------------------------------------------------------- */

static bool same_name(const char *left, const char *right)
{
    return __builtin_strcmp(left, right) == 0;
}

KPI(errno_t, mbuf_tag_id_find, (const char *module, mbuf_tag_id_t *id))
{
    errno_t error = ENOMEM;

    if (!module || !id || __builtin_strlen(module) >= MODULE_NAME_MAX)
        return EINVAL;
    machine_spin_lock(&tag_modules_lock);
    for (unsigned i = 0; i < TAG_MODULES_MAX; i++) {
        if (tag_modules[i][0] == '\0')
            __builtin_strcpy(tag_modules[i], module);
        if (same_name(tag_modules[i], module)) {
            *id = FIRST_MODULE_ID + i;
            error = 0;
            break;
        }
    }
    machine_spin_unlock(&tag_modules_lock);
    return error;
}

static struct mbuf_tag **find_tag(mbuf_t mbuf, mbuf_tag_id_t module, mbuf_tag_type_t type)
{
    struct mbuf_tag **link = &mbuf->tags;

    while (*link && ((*link)->module != module || (*link)->type != type))
        link = &(*link)->next;
    return link;
}

KPI(errno_t, mbuf_tag_allocate, (mbuf_t mbuf, mbuf_tag_id_t module, mbuf_tag_type_t type,
                                 size_t length, mbuf_how_t how, void **data))
{
    if (!mbuf || !(mbuf->flags & MBUF_PKTHDR) || !data || length > UINT16_MAX)
        return EINVAL;
    if (*find_tag(mbuf, module, type))
        return EEXIST;
    struct mbuf_tag *tag = machine_allocate_zeroed(sizeof *tag + length, 0);
    if (!tag)
        return ENOMEM;
    tag->module = module;
    tag->type = type;
    tag->length = length;
    tag->next = mbuf->tags;
    mbuf->tags = tag;
    *data = tag->data;
    return 0;
}

KPI(errno_t, mbuf_tag_find, (mbuf_t mbuf, mbuf_tag_id_t module, mbuf_tag_type_t type,
                             size_t *length, void **data))
{
    if (!mbuf || !(mbuf->flags & MBUF_PKTHDR) || !length || !data)
        return EINVAL;
    struct mbuf_tag *tag = *find_tag(mbuf, module, type);
    if (!tag)
        return ENOENT;
    *length = tag->length;
    *data = tag->data;
    return 0;
}

KPI(void, mbuf_tag_free, (mbuf_t mbuf, mbuf_tag_id_t module, mbuf_tag_type_t type))
{
    struct mbuf_tag **link = find_tag(mbuf, module, type);
    struct mbuf_tag *tag = *link;

    if (!tag)
        return;
    *link = tag->next;
    machine_release(tag, sizeof *tag + tag->length);
}
