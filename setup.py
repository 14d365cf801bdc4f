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

from glob import glob

from setuptools import find_packages, setup

package_name = 'camera_ws_bridge'

setup(
    name=package_name,
    version='1.0.0',
    packages=find_packages(include=[package_name, package_name + '.*']),
    package_data={package_name: ['py.typed', 'ros/*.xml', 'sim/page/static/*']},
    data_files=[
        ('share/ament_index/resource_index/packages', ['resource/' + package_name]),
        ('share/' + package_name, ['package.xml']),
        # As executables: ros2 run camera_ws_bridge reid_node.py
        ('lib/' + package_name, glob('examples/*.py')),
        ('share/' + package_name + '/launch', glob('launch/*.launch.py')),
        ('share/' + package_name + '/config', glob('config/*.yaml')),
        ('share/' + package_name + '/config/sros2', glob('config/sros2/*.xml')),
    ],
    python_requires='>=3.10',
    # What is not part of ROS 2; all of it, with the rosdep keys, is in package.xml.
    install_requires=[
        'PyYAML', 'cryptography', 'numpy', 'setuptools', 'tornado', 'websockets>=10.4'],
    extras_require={
        'examples': ['Pillow'], 'metrics': ['prometheus_client'], 'test': ['pytest']},
    zip_safe=True,
    maintainer='camera_ws_bridge developers',
    maintainer_email='maintainers@camera-ws-bridge.example',
    description="Bridges a tracking orchestrator's WebSocket to ROS topics.",
    license='Apache-2.0',
    entry_points={
        'console_scripts': [
            'bridge = camera_ws_bridge.process.start:bridge',
            'camera_sim = camera_ws_bridge.sim.camera.main:main',
            'check = camera_ws_bridge.preflight.start:check',
            'demo = camera_ws_bridge.sim.demo.main:main',
            'multi_bridge = camera_ws_bridge.process.start:multi_bridge',
            'operator_sim = camera_ws_bridge.sim.interface.main:main',
            'orchestrator_sim = camera_ws_bridge.sim.orchestrator.main:main',
        ],
    },
)
