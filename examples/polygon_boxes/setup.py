# Copyright 2026 camera_ws_bridge developers
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

from setuptools import setup

package_name = 'polygon_boxes'

setup(
    name=package_name,
    version='0.1.0',
    packages=[package_name],
    data_files=[
        ('share/ament_index/resource_index/packages', ['resource/' + package_name]),
        ('share/' + package_name, ['package.xml']),
    ],
    install_requires=['setuptools'],
    zip_safe=True,
    maintainer='camera_ws_bridge developers',
    maintainer_email='maintainers@camera-ws-bridge.example',
    description='Example of an adapter for camera_ws_bridge.',
    license='Apache-2.0',
    # The type whose messages it takes, and the function that does so.
    entry_points={
        'camera_ws_bridge.boxes': [
            'geometry_msgs/msg/PolygonStamped = polygon_boxes.adapter:boxes',
        ],
    },
)
