/* SPDX-License-Identifier: BSD-3-Clause */
/* machv's test device for PCI passthrough: copies between guest memory and a buffer of its own,
 * interrupts by MSI-X (or MSI), on demand and at the end of a copy. Explained in docs/pci.md.
 *
 * BAR 0, 4 KiB, 32 bits: registers, 4 bytes each, accessed as 4 bytes (COPY_ADDRESS as 8, too).
 * BAR 2, 64 KiB, 64 bits, prefetchable: the buffer.
 * BAR 4, 4 KiB, 32 bits: MSI-X table at 0, pending bits at 0x800. */
#ifndef PROTOCOL_PCI_TEST_DEVICE_H
#define PROTOCOL_PCI_TEST_DEVICE_H

#define PCI_TEST_VENDOR       0x1234u
#define PCI_TEST_DEVICE       0x6d76u
#define PCI_TEST_BASE_CLASS   0xffu     /* fits no class */

#define PCI_TEST_REGISTERS_BAR  0u
#define PCI_TEST_REGISTERS_SIZE 0x1000u
#define PCI_TEST_BUFFER_BAR     2u
#define PCI_TEST_BUFFER_SIZE    0x10000u
#define PCI_TEST_MSIX_BAR       4u
#define PCI_TEST_MSIX_SIZE      0x1000u
#define PCI_TEST_MSIX_PENDING   0x800u
#define PCI_TEST_VECTORS        16u

#define PCI_TEST_IDENTITY       0x00u   /* r: PCI_TEST_IDENTITY_VALUE */
#define PCI_TEST_IDENTITY_VALUE 0x3130766du /* "mv01" */
#define PCI_TEST_ECHO           0x04u   /* rw: reads as the complement of what was written */
#define PCI_TEST_STATUS         0x08u   /* r: PCI_TEST_STATUS_*, of the last copy */
#define PCI_TEST_STATUS_DONE    0x1u
#define PCI_TEST_STATUS_FAILED  0x2u    /* not RAM, or outside of the buffer */
#define PCI_TEST_COMMAND        0x0cu   /* w: PCI_TEST_COMMAND_*; needs bus mastering */
#define PCI_TEST_COMMAND_IN     1u      /* guest memory to buffer */
#define PCI_TEST_COMMAND_OUT    2u      /* buffer to guest memory */
#define PCI_TEST_COMMAND_CLEAR  3u      /* the buffer, to zeros; INTERRUPTS too */
#define PCI_TEST_COPY_ADDRESS   0x10u   /* rw, 8 bytes: guest-physical */
#define PCI_TEST_COPY_OFFSET    0x18u   /* rw: in the buffer */
#define PCI_TEST_COPY_LENGTH    0x1cu   /* rw: bytes, 1 .. PCI_TEST_BUFFER_SIZE */
#define PCI_TEST_COPY_VECTOR    0x20u   /* rw: interrupt at the end of a copy, or _NONE */
#define PCI_TEST_VECTOR_NONE    0xffffffffu
#define PCI_TEST_RAISE          0x24u   /* w: interrupt with this vector now */
#define PCI_TEST_INTERRUPTS     0x28u   /* r: messages sent since reset */
#define PCI_TEST_CHECKSUM       0x2cu   /* r: sum of the bytes of the last copy */
#define PCI_TEST_BURST          0x30u   /* w: vector in bits 0 - 7, so many messages in 8 - 31 */

#endif
