"""Drives a Redfish service with python3-sushy and prints what it saw as JSON. Arguments: ACTION URL SYSTEM_ID [CA_FILE]."""
import json
import sys

import sushy
from sushy import auth

action, url, system_id = sys.argv[1:4]
verify = sys.argv[4] if len(sys.argv) > 4 else True
kind = auth.BasicAuth if action == 'basic' else auth.SessionAuth
root = sushy.Sushy(url, verify=verify, auth=kind(username='admin', password='password'))
system = root.get_system('/redfish/v1/Systems/' + system_id)


def state():
    system.refresh(force=True)
    return system.power_state.value if system.power_state else None


def boot():
    system.refresh(force=True)
    return [getattr(system.boot.target, 'value', None), getattr(system.boot.enabled, 'value', None), getattr(system.boot.mode, 'value', None)]


def power():
    seen = [state()]
    for kind in (sushy.RESET_ON, sushy.RESET_FORCE_RESTART, sushy.RESET_GRACEFUL_SHUTDOWN, sushy.RESET_PUSH_POWER_BUTTON, sushy.RESET_FORCE_OFF):
        system.reset_system(kind)
        seen.append(state())
    return {'states': seen, 'allowed': sorted(value.value for value in system.get_allowed_reset_system_values())}


def boot_device():
    seen = {'before': boot(), 'allowed': sorted(value.value for value in system.get_allowed_system_boot_source_values())}
    system.set_system_boot_options(sushy.BOOT_SOURCE_TARGET_PXE, enabled=sushy.BOOT_SOURCE_ENABLED_ONCE, mode=sushy.BOOT_SOURCE_MODE_BIOS)
    seen['once'] = boot()
    system.reset_system(sushy.RESET_ON)
    seen['consumed'] = boot()
    system.set_system_boot_options(sushy.BOOT_SOURCE_TARGET_HDD, enabled=sushy.BOOT_SOURCE_ENABLED_CONTINUOUS, mode=sushy.BOOT_SOURCE_MODE_UEFI)
    system.reset_system(sushy.RESET_FORCE_RESTART)
    seen['continuous'] = boot()
    return seen


def media():
    manager = system.managers[0]
    devices = {sushy.VIRTUAL_MEDIA_CD: None, sushy.VIRTUAL_MEDIA_FLOPPY: None}
    for device in manager.virtual_media.get_members():
        for kind in devices:
            if kind in device.media_types:
                devices[kind] = device
    seen = {}
    for kind, device in devices.items():
        device.insert_media('http://127.0.0.1:1/%s.img' % device.identity, write_protected=True)
        device.refresh(force=True)
        seen[device.identity] = [device.image, device.inserted, device.write_protected]
        device.eject_media()
        device.refresh(force=True)
        seen[device.identity] += [device.image, device.inserted]
    return seen


def summary():
    return {
        'uuid': system.uuid,
        'macs': sorted(system.ethernet_interfaces.summary),
        'managers': [manager.identity for manager in system.managers],
        'memory': system.memory_summary.size_gib,
        'bios': system.bios.attributes,
        'etag': bool(system.json.get('@odata.etag')),
    }


def bios():
    system.bios.set_attribute('BootMode', 'LegacyBios')
    pending = system.bios.pending_attributes['BootMode']
    system.reset_system(sushy.RESET_ON)
    system.bios.refresh(force=True)
    return [pending, system.bios.attributes['BootMode']]


def secure_boot():
    seen = [system.secure_boot.enabled, system.secure_boot.current_boot.value]
    system.secure_boot.set_enabled(True)
    system.reset_system(sushy.RESET_ON)
    system.secure_boot.refresh(force=True)
    return seen + [system.secure_boot.enabled, system.secure_boot.current_boot.value]


def no_secure_boot():
    try:
        return system.secure_boot.enabled
    except sushy.exceptions.MissingAttributeError as error:
        return str(error)


def boot_mode():
    seen = [boot()]
    for target, mode in ((None, sushy.BOOT_SOURCE_MODE_BIOS), (sushy.BOOT_SOURCE_TARGET_PXE, None), (sushy.BOOT_SOURCE_TARGET_UEFI_HTTP, sushy.BOOT_SOURCE_MODE_UEFI)):
        system.set_system_boot_options(target, mode=mode)
        seen.append(boot())
    return seen


def failure():
    try:
        system._conn.patch(system.path, data={'Boot': {'BootSourceOverrideTarget': 'Tape'}})
    except sushy.exceptions.HTTPError as error:
        return {'text': str(error), 'code': error.code, 'status': error.status_code}
    return None


actions = {'secure-boot': secure_boot, 'no-secure-boot': no_secure_boot, 'boot-mode': boot_mode, 'power': power, 'boot': boot_device, 'media': media, 'summary': summary, 'basic': summary, 'bios': bios, 'failure': failure}
print(json.dumps(actions[action]()))
