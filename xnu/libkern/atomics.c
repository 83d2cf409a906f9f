/* SPDX-License-Identifier: BSD-3-Clause */
/* OSAtomic: each function returns the value before the operation.
 * Source: xnu libkern/libkern/OSAtomic.h, libkern/gen/OSAtomicOperations.c. */
#include "abi/types.h"

#include "xnu/bsd/kpi.h"

#define ADD(suffix, type)                                                                     \
    KPI(type, OSAddAtomic##suffix, (int32_t amount, volatile type *address))                  \
    {                                                                                         \
        return __atomic_fetch_add(address, (type)amount, __ATOMIC_SEQ_CST);                   \
    }                                                                                         \
    KPI(type, OSIncrementAtomic##suffix, (volatile type *address))                            \
    {                                                                                         \
        return __atomic_fetch_add(address, 1, __ATOMIC_SEQ_CST);                              \
    }                                                                                         \
    KPI(type, OSDecrementAtomic##suffix, (volatile type *address))                            \
    {                                                                                         \
        return __atomic_fetch_sub(address, 1, __ATOMIC_SEQ_CST);                              \
    }

ADD(, int32_t)
ADD(16, int16_t)
ADD(8, int8_t)

KPI(int64_t, OSAddAtomic64, (int64_t amount, volatile int64_t *address))
{
    return __atomic_fetch_add(address, amount, __ATOMIC_SEQ_CST);
}

#define BITS(suffix, type)                                                                    \
    KPI(type, OSBitAndAtomic##suffix, (uint32_t mask, volatile type *address))                \
    {                                                                                         \
        return __atomic_fetch_and(address, (type)mask, __ATOMIC_SEQ_CST);                     \
    }                                                                                         \
    KPI(type, OSBitOrAtomic##suffix, (uint32_t mask, volatile type *address))                 \
    {                                                                                         \
        return __atomic_fetch_or(address, (type)mask, __ATOMIC_SEQ_CST);                      \
    }                                                                                         \
    KPI(type, OSBitXorAtomic##suffix, (uint32_t mask, volatile type *address))                \
    {                                                                                         \
        return __atomic_fetch_xor(address, (type)mask, __ATOMIC_SEQ_CST);                     \
    }

BITS(, uint32_t)
BITS(16, uint16_t)
BITS(8, uint8_t)

KPI(Boolean, OSCompareAndSwap, (uint32_t old, uint32_t value, volatile uint32_t *address))
{
    return __atomic_compare_exchange_n(address, &old, value, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

KPI(Boolean, OSCompareAndSwap64, (uint64_t old, uint64_t value, volatile uint64_t *address))
{
    return __atomic_compare_exchange_n(address, &old, value, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

KPI(Boolean, OSCompareAndSwapPtr, (void *old, void *value, void *volatile *address))
{
    return __atomic_compare_exchange_n(address, &old, value, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

/* Bits are counted from the most significant one of each byte. OSTestAndSet and OSTestAndClear
 * both return the opposite of what the bit was (OSAtomic.h), so true from TestAndSet means "now
 * mine". */
KPI(Boolean, OSTestAndSet, (uint32_t bit, volatile uint8_t *address))
{
    uint8_t mask = (uint8_t)(0x80 >> (bit & 7));

    return !(__atomic_fetch_or(address + (bit >> 3), mask, __ATOMIC_SEQ_CST) & mask);
}

KPI(Boolean, OSTestAndClear, (uint32_t bit, volatile uint8_t *address))
{
    uint8_t mask = (uint8_t)(0x80 >> (bit & 7));

    return !(__atomic_fetch_and(address + (bit >> 3), (uint8_t)~mask, __ATOMIC_SEQ_CST) & mask);
}

/* A last-in first-out list; `offset` is where an element keeps its link. Not free of the reuse
 * problem, as in the kernel. */
KPI(void *, OSDequeueAtomic, (void *volatile *list, int32_t offset))
{
    void *first = __atomic_load_n(list, __ATOMIC_SEQ_CST);

    while (first && !__atomic_compare_exchange_n(list, &first, *(void **)((char *)first + offset),
                                                 false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        ;
    return first;
}

KPI(void, OSEnqueueAtomic, (void *volatile *list, void *element, int32_t offset))
{
    void *first = __atomic_load_n(list, __ATOMIC_SEQ_CST);

    do {
        *(void **)((char *)element + offset) = first;
    } while (!__atomic_compare_exchange_n(list, &first, element, false, __ATOMIC_SEQ_CST,
                                          __ATOMIC_SEQ_CST));
}
