"""iSCSI targets of a tgtd with a control socket of its own (TGT_IPC_SOCKET in the environment)."""
import subprocess

from cinder import exception
from cinder import utils
from cinder.volume.targets import tgt


def tgtadm(mode, operation, *arguments, check=True):
    command = ['tgtadm', '--lld', 'iscsi', '--mode', mode, '--op', operation, *map(str, arguments)]
    return subprocess.run(command, check=check, capture_output=True, text=True).stdout


class Targets(tgt.TgtAdm):
    """Cinder's helper for tgt without tgt-admin, which only speaks to the tgtd of the system and its files below /etc/tgt."""

    def _tids(self):
        """Returns the numbers of the targets by name."""
        lines = [line for line in tgtadm('target', 'show').splitlines() if line.startswith('Target ')]
        return {line.split(': ')[1].strip(): int(line.split(': ')[0].split()[1]) for line in lines}

    def _get_target(self, iqn):
        return self._tids().get(iqn)

    @utils.synchronized('tgt')
    def create_iscsi_target(self, name, tid, lun, path, chap_auth=None, **kwargs):
        tids = self._tids()
        if name in tids:
            return tids[name]
        tid = max(tids.values(), default=0) + 1
        try:
            tgtadm('target', 'new', '--tid', tid, '--targetname', name)
            tgtadm('logicalunit', 'new', '--tid', tid, '--lun', lun, '--backing-store', path)
            if chap_auth:
                user, password = chap_auth
                # Accounts outlive their targets.
                tgtadm('account', 'delete', '--user', user, check=False)
                tgtadm('account', 'new', '--user', user, '--password', password)
                tgtadm('account', 'bind', '--tid', tid, '--user', user)
            tgtadm('target', 'bind', '--tid', tid, '--initiator-address', 'ALL')
        except subprocess.CalledProcessError as error:
            if self._get_target(name):
                tgtadm('target', 'delete', '--force', '--tid', tid)
            raise exception.ISCSITargetCreateFailed(volume_id=f'{name}: {error.stderr}')
        return tid

    @utils.synchronized('tgt')
    def remove_iscsi_target(self, tid, lun, vol_id, vol_name, **kwargs):
        tid = self._get_target(f'{self.iscsi_target_prefix}{vol_name}')
        if tid is not None:
            tgtadm('target', 'delete', '--force', '--tid', tid)
