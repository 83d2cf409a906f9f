/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a Hyper-V guest finds in ACPI: a module device that owns the windows
 * for device memory, and the VMBus device below it.  For -acpitable.
 */
DefinitionBlock ("vmbus.aml", "SSDT", 2, "HVTEST", "VMBUS", 0x00000001)
{
    Scope (\_SB)
    {
        Device (VMOD)
        {
            Name (_HID, "ACPI0004")
            Name (_UID, Zero)
            Name (_CRS, ResourceTemplate ()
            {
                /* 64 MiB below 4 GiB, inside the hole, clear of the chipset */
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
                    NonCacheable, ReadWrite,
                    0x00000000, 0xF8000000, 0xFBFFFFFF, 0x00000000, 0x04000000)
                /* 512 MiB just below 64 GiB */
                QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
                    NonCacheable, ReadWrite,
                    0x0000000000000000, 0x0000000FE0000000,
                    0x0000000FFFFFFFFF, 0x0000000000000000,
                    0x0000000020000000)
            })

            Device (VMBS)
            {
                /* As on Hyper-V; the compiler wants 7 or 8 characters in a Name */
                Method (_HID, 0, NotSerialized)
                {
                    Local0 = "VMBus"
                    Return (Local0)
                }
                Name (_UID, Zero)
                Name (_STA, 0x0F)
                Name (_CRS, ResourceTemplate ()
                {
                    IRQ (Edge, ActiveHigh, Exclusive) { 5 }
                })
            }
        }
    }
}
