/* SPDX-License-Identifier: BSD-3-Clause */
/* macOS 11 and later: VMPlatformPlugin takes the first processor. The plug-in that macOS would choose
 * without this freezes in a VM. Comes after SSDT-HV-DEV, which makes \_SB.P001.
 */
DefinitionBlock ("", "SSDT", 2, "ACDT", "HVPLUG", 0)
{
    External (\_SB.P001, ProcessorObj)

    Scope (\_SB.P001)
    {
        If (_OSI ("Darwin"))
        {
            Method (_DSM, 4, NotSerialized)
            {
                If (LEqual (Arg2, Zero))
                {
                    Return (Buffer (One) { 0x03 })
                }
                Return (Package (0x02) { "plugin-type", 0x02 })
            }
        }
    }
}
