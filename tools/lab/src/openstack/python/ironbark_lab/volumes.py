"""Volume drivers of the lab: sparse files behind iSCSI targets, and sparse files that are said to be on a Fibre Channel."""
import json
import os
import pathlib

from cinder import exception
from cinder.volume import configuration
from cinder.volume import driver
from oslo_config import cfg

from ironbark_lab import targets

OPTIONS = [cfg.StrOpt('volume_directory', help='Where the files of the volumes are.')]
cfg.CONF.register_opts(OPTIONS, group=configuration.SHARED_CONF_GROUP)

# WWPNs of a storage system with two ports.
TARGET_WWPNS = ['500a098280feeba5', '500a098290feeba5']


class SparseFiles(driver.VolumeDriver):
    """A file for each volume; how it is reached is for the subclass to say."""

    storage_protocol = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.configuration.append_config_values(OPTIONS)
        self.directory = pathlib.Path(self.configuration.volume_directory)

    def check_for_setup_error(self):
        self.directory.mkdir(exist_ok=True)

    def create_volume(self, volume):
        with open(self.local_path(volume), 'xb') as file:
            file.truncate(volume.size << 30)

    def clone_image(self, context, volume, image_location, image_meta, image_service):
        # The driver's own way, because Cinder's has qemu-img look at the image as root.
        with open(self.local_path(volume), 'xb') as file:
            image_service.download(context, image_meta['id'], file)
            file.truncate(volume.size << 30)
        return {}, True

    def delete_volume(self, volume):
        pathlib.Path(self.local_path(volume)).unlink(missing_ok=True)

    def extend_volume(self, volume, new_size):
        os.truncate(self.local_path(volume), new_size << 30)

    def local_path(self, volume):
        return str(self.directory / volume.name)

    def _update_volume_stats(self):
        name = self.configuration.volume_backend_name
        self._stats = {
            'volume_backend_name': name,
            'vendor_name': 'Ironbark',
            'driver_version': '1.0',
            'storage_protocol': self.storage_protocol,
            'pools': [{
                'pool_name': name,
                'total_capacity_gb': 1024,
                'free_capacity_gb': 1024,
                'reserved_percentage': 0,
                'QoS_support': False,
                'multiattach': True,
                'thin_provisioning_support': True,
            }],
        }


class IscsiVolumes(SparseFiles):
    """Exports a volume from initialize_connection to the detachment, under CHAP credentials that are made for this export."""

    storage_protocol = 'iSCSI'

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.target_driver = targets.Targets(configuration=self.configuration)

    def ensure_export(self, context, volume):
        self.target_driver.ensure_export(context, volume, self.local_path(volume))

    def create_export(self, context, volume, connector):
        export = self.target_driver.create_export(context, volume, self.local_path(volume))
        return {'provider_location': export['location'], 'provider_auth': export['auth']}

    def remove_export(self, context, volume):
        self.target_driver.remove_export(context, volume)
        # Else the next export would get the same credentials.
        volume.update({'provider_location': None, 'provider_auth': None})
        volume.save()

    def validate_connector(self, connector):
        return self.target_driver.validate_connector(connector)

    def initialize_connection(self, volume, connector):
        return self.target_driver.initialize_connection(volume, connector)

    def terminate_connection(self, volume, connector, **kwargs):
        # True: the export is in use by somebody else and stays.
        return len(volume.volume_attachment) > 1


class FibreChannelVolumes(SparseFiles):
    """Maps volumes to hosts the way a storage system does, and keeps the maps in files; there is no network behind it."""

    storage_protocol = 'FC'

    def ensure_export(self, context, volume):
        pass

    def create_export(self, context, volume, connector):
        pass

    def remove_export(self, context, volume):
        pass

    def validate_connector(self, connector):
        if not connector.get('wwpns'):
            raise exception.InvalidConnectorException(missing='wwpns')

    def initialize_connection(self, volume, connector):
        luns = self._luns(volume)
        if connector['host'] not in luns:
            taken = {lun for path in self.directory.glob('*.luns') for lun in json.loads(path.read_text()).values()}
            luns[connector['host']] = next(lun for lun in range(1, 1024) if lun not in taken)
            self._keep(volume, luns)
        return self._connection(volume, connector, target_discovered=True, target_lun=luns[connector['host']])

    def terminate_connection(self, volume, connector, **kwargs):
        luns = self._luns(volume)
        if connector is None:  # all hosts
            luns = {}
            connector = {'wwpns': []}
        else:
            luns.pop(connector['host'], None)
        self._keep(volume, luns)
        return self._connection(volume, connector)

    def _connection(self, volume, connector, **data):
        initiator_target_map = {wwpn: TARGET_WWPNS for wwpn in connector['wwpns']}
        return {'driver_volume_type': 'fibre_channel', 'data': {
            'volume_id': volume.id, 'target_wwn': TARGET_WWPNS, 'initiator_target_map': initiator_target_map, **data}}

    def _luns(self, volume):
        """LUN of the volume by host."""
        path = pathlib.Path(f'{self.local_path(volume)}.luns')
        return json.loads(path.read_text()) if path.exists() else {}

    def _keep(self, volume, luns):
        path = pathlib.Path(f'{self.local_path(volume)}.luns')
        if luns:
            path.write_text(json.dumps(luns))
        else:
            path.unlink(missing_ok=True)
