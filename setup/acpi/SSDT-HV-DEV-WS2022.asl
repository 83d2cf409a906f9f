/* SPDX-License-Identifier: BSD-3-Clause */
/* What Windows Server 2022 and Windows 11 hosts add to SSDT-HV-DEV, generation 2.
 *
 * - The processor devices \P241 to \R048 do not exist for macOS.
 * - The processor aggregator's guard, repeated in _STA as in SSDT-HV-DEV. It has no _STA of its own.
 *
 * Older hosts have none of these devices and cannot load this table.
 * Needs the rename _STA to XSTA of the 1808 processors (see setup/data/acpi_rows.c).
 */
DefinitionBlock ("", "SSDT", 2, "ACDT", "HVDEVW22", 0)
{
    External (\PADE, FieldUnitObj)
    External (\_SB.VMOD.PAD1, DeviceObj)

    Include ("processor-devices-2.asl")

    If (LGreater (\PADE, Zero))
    {
        Scope (\_SB.VMOD.PAD1)
        {
            Method (_STA, 0, NotSerialized)
            {
                If (LGreater (\PADE, Zero)) { Return (0x0F) }
                Return (Zero)
            }
        }
    }
}
