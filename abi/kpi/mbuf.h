/* SPDX-License-Identifier: BSD-3-Clause */
/* mbufs: chains of network memory.
 *
 * Source: xnu bsd/sys/kpi_mbuf.h.
 * Comments note functions that older releases lack. */
#pragma once

#include "abi/types.h"

typedef uint32_t mbuf_how_t;    /* MBUF_WAITOK may block, MBUF_DONTWAIT not */
typedef uint32_t mbuf_type_t;
typedef uint32_t mbuf_flags_t;
typedef uint32_t mbuf_csum_request_flags_t;
typedef uint32_t mbuf_csum_performed_flags_t;
typedef uint32_t mbuf_tso_request_flags_t;

/* Lengths and offsets in bytes. Nothing here allocates in primary interrupt context. */
void *mbuf_data(mbuf_t mbuf) __asm("_mbuf_data");
void *mbuf_datastart(mbuf_t mbuf) __asm("_mbuf_datastart");
errno_t mbuf_setdata(mbuf_t mbuf, void *data, size_t len) __asm("_mbuf_setdata");
addr64_t mbuf_data_to_physical(void *ptr) __asm("_mbuf_data_to_physical");
errno_t mbuf_get(mbuf_how_t how, mbuf_type_t type, mbuf_t *mbuf) __asm("_mbuf_get");
errno_t mbuf_gethdr(mbuf_how_t how, mbuf_type_t type, mbuf_t *mbuf) __asm("_mbuf_gethdr");
errno_t mbuf_getcluster(mbuf_how_t how, mbuf_type_t type, size_t size, mbuf_t *mbuf)
    __asm("_mbuf_getcluster");
errno_t mbuf_mclget(mbuf_how_t how, mbuf_type_t type, mbuf_t *mbuf) __asm("_mbuf_mclget");
errno_t mbuf_allocpacket(mbuf_how_t how, size_t packetlen, unsigned int *maxchunks, mbuf_t *mbuf)
    __asm("_mbuf_allocpacket");
errno_t mbuf_allocpacket_list(unsigned int numpkts, mbuf_how_t how, size_t packetlen,
                              unsigned int *maxchunks, mbuf_t *mbuf)
    __asm("_mbuf_allocpacket_list"); /* since 10.5 */
errno_t mbuf_getpacket(mbuf_how_t how, mbuf_t *mbuf) __asm("_mbuf_getpacket");
mbuf_t mbuf_free(mbuf_t mbuf) __asm("_mbuf_free");
void mbuf_freem(mbuf_t mbuf) __asm("_mbuf_freem");
int mbuf_freem_list(mbuf_t mbuf) __asm("_mbuf_freem_list");
size_t mbuf_leadingspace(mbuf_t mbuf) __asm("_mbuf_leadingspace");
size_t mbuf_trailingspace(mbuf_t mbuf) __asm("_mbuf_trailingspace");
errno_t mbuf_copym(mbuf_t src, size_t offset, size_t len, mbuf_how_t how, mbuf_t *new_mbuf)
    __asm("_mbuf_copym");
errno_t mbuf_dup(mbuf_t src, mbuf_how_t how, mbuf_t *new_mbuf) __asm("_mbuf_dup");
errno_t mbuf_prepend(mbuf_t *mbuf, size_t len, mbuf_how_t how) __asm("_mbuf_prepend");
errno_t mbuf_split(mbuf_t src, size_t offset, mbuf_how_t how, mbuf_t *new_mbuf)
    __asm("_mbuf_split");
errno_t mbuf_pullup(mbuf_t *mbuf, size_t len) __asm("_mbuf_pullup");
errno_t mbuf_pulldown(mbuf_t src, size_t *offset, size_t length, mbuf_t *location)
    __asm("_mbuf_pulldown");
void mbuf_adj(mbuf_t mbuf, int len) __asm("_mbuf_adj");
errno_t mbuf_adjustlen(mbuf_t mbuf, int amount) __asm("_mbuf_adjustlen"); /* since 10.5 */
errno_t mbuf_copydata(mbuf_t mbuf, size_t offset, size_t length, void *out_data)
    __asm("_mbuf_copydata");
errno_t mbuf_copyback(mbuf_t mbuf, size_t offset, size_t length, const void *data, mbuf_how_t how)
    __asm("_mbuf_copyback");
int mbuf_mclhasreference(mbuf_t mbuf) __asm("_mbuf_mclhasreference");
mbuf_t mbuf_next(mbuf_t mbuf) __asm("_mbuf_next");
errno_t mbuf_setnext(mbuf_t mbuf, mbuf_t next) __asm("_mbuf_setnext");
mbuf_t mbuf_nextpkt(mbuf_t mbuf) __asm("_mbuf_nextpkt");
void mbuf_setnextpkt(mbuf_t mbuf, mbuf_t nextpkt) __asm("_mbuf_setnextpkt");
size_t mbuf_len(mbuf_t mbuf) __asm("_mbuf_len");
void mbuf_setlen(mbuf_t mbuf, size_t len) __asm("_mbuf_setlen");
size_t mbuf_maxlen(mbuf_t mbuf) __asm("_mbuf_maxlen");
mbuf_type_t mbuf_type(mbuf_t mbuf) __asm("_mbuf_type");
errno_t mbuf_settype(mbuf_t mbuf, mbuf_type_t new_type) __asm("_mbuf_settype");
mbuf_flags_t mbuf_flags(mbuf_t mbuf) __asm("_mbuf_flags");
errno_t mbuf_setflags(mbuf_t mbuf, mbuf_flags_t flags) __asm("_mbuf_setflags");
errno_t mbuf_setflags_mask(mbuf_t mbuf, mbuf_flags_t flags, mbuf_flags_t mask)
    __asm("_mbuf_setflags_mask");
errno_t mbuf_copy_pkthdr(mbuf_t dest, mbuf_t src) __asm("_mbuf_copy_pkthdr");
size_t mbuf_pkthdr_len(mbuf_t mbuf) __asm("_mbuf_pkthdr_len");
void mbuf_pkthdr_setlen(mbuf_t mbuf, size_t len) __asm("_mbuf_pkthdr_setlen");
/* since 10.5 */
void mbuf_pkthdr_adjustlen(mbuf_t mbuf, int amount) __asm("_mbuf_pkthdr_adjustlen");
ifnet_t mbuf_pkthdr_rcvif(mbuf_t mbuf) __asm("_mbuf_pkthdr_rcvif");
errno_t mbuf_pkthdr_setrcvif(mbuf_t mbuf, ifnet_t ifp) __asm("_mbuf_pkthdr_setrcvif");
void *mbuf_pkthdr_header(mbuf_t mbuf) __asm("_mbuf_pkthdr_header");
void mbuf_pkthdr_setheader(mbuf_t mbuf, void *header) __asm("_mbuf_pkthdr_setheader");
void mbuf_inbound_modified(mbuf_t mbuf) __asm("_mbuf_inbound_modified");
void mbuf_outbound_finalize(mbuf_t mbuf, uint32_t protocol_family, size_t protocol_offset)
    __asm("_mbuf_outbound_finalize");
errno_t mbuf_set_vlan_tag(mbuf_t mbuf, uint16_t vlan) __asm("_mbuf_set_vlan_tag");
errno_t mbuf_get_vlan_tag(mbuf_t mbuf, uint16_t *vlan) __asm("_mbuf_get_vlan_tag");
errno_t mbuf_clear_vlan_tag(mbuf_t mbuf) __asm("_mbuf_clear_vlan_tag");
errno_t mbuf_get_csum_requested(mbuf_t mbuf, mbuf_csum_request_flags_t *request, uint32_t *value)
    __asm("_mbuf_get_csum_requested");
errno_t mbuf_get_tso_requested(mbuf_t mbuf, mbuf_tso_request_flags_t *request, uint32_t *value)
    __asm("_mbuf_get_tso_requested"); /* since 10.6 */
errno_t mbuf_clear_csum_requested(mbuf_t mbuf) __asm("_mbuf_clear_csum_requested");
errno_t mbuf_set_csum_performed(mbuf_t mbuf, mbuf_csum_performed_flags_t flags, uint32_t value)
    __asm("_mbuf_set_csum_performed");
errno_t mbuf_clear_csum_performed(mbuf_t mbuf) __asm("_mbuf_clear_csum_performed");
uint32_t mbuf_get_mlen(void) __asm("_mbuf_get_mlen"); /* since 10.6 */
uint32_t mbuf_get_mhlen(void) __asm("_mbuf_get_mhlen"); /* since 10.6 */
uint32_t mbuf_get_minclsize(void) __asm("_mbuf_get_minclsize"); /* since 10.7 */
