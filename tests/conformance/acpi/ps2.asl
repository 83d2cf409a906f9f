/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The keyboard and the mouse of a generation 1 machine, for a guest that has
 * the host's keyboard controller instead of QEMU's.  For -acpitable.
 */
DefinitionBlock ("ps2.aml", "SSDT", 2, "HVTEST", "PS2", 0x00000001)
{
    Scope (\_SB)
    {
        Device (PS2K)
        {
            Name (_HID, EisaId ("PNP0303"))
            Name (_STA, 0x0F)
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x0060, 0x0060, 0x01, 0x01)
                IO (Decode16, 0x0064, 0x0064, 0x01, 0x01)
                IRQNoFlags () { 1 }
            })
        }

        Device (PS2M)
        {
            Name (_HID, EisaId ("PNP0F13"))
            Name (_STA, 0x0F)
            Name (_CRS, ResourceTemplate ()
            {
                IRQNoFlags () { 12 }
            })
        }
    }
}
