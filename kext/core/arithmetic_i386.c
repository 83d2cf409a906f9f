/* SPDX-License-Identifier: BSD-3-Clause */
/* 64-bit division for i386: the compiler calls these by name, and no kernel exports them. */
#include <stdint.h>

#if defined(__i386__) && defined(__MACH__)

uint64_t __udivdi3(uint64_t dividend, uint64_t divisor);
uint64_t __umoddi3(uint64_t dividend, uint64_t divisor);
int64_t __divdi3(int64_t dividend, int64_t divisor);
int64_t __moddi3(int64_t dividend, int64_t divisor);

/* One 32-bit step by the processor: high must be below divisor. */
static uint32_t divide_step(uint32_t high, uint32_t low, uint32_t divisor, uint32_t *remainder)
{
    uint32_t quotient;

    __asm__("divl %4" : "=a"(quotient), "=d"(*remainder) : "0"(low), "1"(high), "r"(divisor));
    return quotient;
}

/* Schoolbook division in base 2^32 for small divisors, bit by bit for large ones. */
static uint64_t divide(uint64_t dividend, uint64_t divisor, uint64_t *remainder)
{
    uint64_t quotient = 0, rest = 0;

    if (divisor >> 32 == 0) {
        uint32_t small = (uint32_t)divisor, part;
        uint32_t high = divide_step(0, (uint32_t)(dividend >> 32), small, &part);
        uint32_t low = divide_step(part, (uint32_t)dividend, small, &part);

        *remainder = part;
        return (uint64_t)high << 32 | low;
    }
    for (int bit = 63; bit >= 0; bit--) {
        rest = rest << 1 | (dividend >> bit & 1);
        if (rest >= divisor) {
            rest -= divisor;
            quotient |= UINT64_C(1) << bit;
        }
    }
    *remainder = rest;
    return quotient;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

uint64_t __udivdi3(uint64_t dividend, uint64_t divisor)
{
    uint64_t remainder;

    return divide(dividend, divisor, &remainder);
}

uint64_t __umoddi3(uint64_t dividend, uint64_t divisor)
{
    uint64_t remainder;

    divide(dividend, divisor, &remainder);
    return remainder;
}

int64_t __divdi3(int64_t dividend, int64_t divisor)
{
    uint64_t remainder;
    uint64_t quotient = divide(magnitude(dividend), magnitude(divisor), &remainder);

    return (dividend < 0) != (divisor < 0) ? -(int64_t)quotient : (int64_t)quotient;
}

int64_t __moddi3(int64_t dividend, int64_t divisor)
{
    uint64_t remainder;

    divide(magnitude(dividend), magnitude(divisor), &remainder);
    return dividend < 0 ? -(int64_t)remainder : (int64_t)remainder;
}

#endif
