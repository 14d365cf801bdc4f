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

"""Whom a node is cut off from: found in the graph, told once, and only if it lasts."""

import itertools
from types import SimpleNamespace

from camera_ws_bridge.ros.misfits import Misfits
from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy

RELIABLE = QoSProfile(depth=1)
BEST_EFFORT = QoSProfile(depth=1, reliability=QoSReliabilityPolicy.BEST_EFFORT)
LATCHED = QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
GIDS = itertools.count()


class Endpoint:
    """A publisher or subscription of the node."""

    def __init__(self, topic, profile, matched=0):
        self.topic = self.topic_name = topic
        self.qos_profile = profile
        self.get_subscription_count = self.get_publisher_count = lambda: matched


class Graph:
    """A node, and what others have on its topics."""

    def __init__(self):
        self.publishers, self.subscriptions = [], []
        self.peers = {}
        self.warnings = []
        self.asked = 0
        self.misfits = Misfits(self)

    def get_logger(self):
        return SimpleNamespace(warning=self.warnings.append)

    def count_publishers(self, topic):
        return len(self.peers.get(topic, []))

    count_subscribers = count_publishers

    def get_publishers_info_by_topic(self, topic):
        self.asked += 1
        return self.peers.get(topic, [])

    get_subscriptions_info_by_topic = get_publishers_info_by_topic

    def come(self, topic, profile, name='detector'):
        peer = SimpleNamespace(
            qos_profile=profile, endpoint_gid=[next(GIDS)], node_name=name)
        self.peers.setdefault(topic, []).append(peer)
        return peer

    def look(self, times=1):
        for _ in range(times):
            self.misfits.look()


def test_a_publisher_that_does_not_fit_is_told_of_once():
    graph = Graph()
    graph.subscriptions = [Endpoint('/t', RELIABLE)]
    graph.come('/t', BEST_EFFORT)
    graph.look()
    assert graph.warnings == [], 'it may be gone at once'
    graph.look(3)
    (text,) = graph.warnings
    assert 'nothing arrives from a publisher on /t of node detector' in text
    assert 'qos_overrides./t.subscription.reliability:=best_effort' in text


def test_so_is_a_subscription():
    graph = Graph()
    graph.publishers = [Endpoint('/t', RELIABLE)]
    graph.come('/t', LATCHED)
    graph.look(3)
    (text,) = graph.warnings
    assert 'nothing reaches a subscription on /t of node detector' in text
    assert 'qos_overrides./t.publisher.durability:=transient_local' in text


def test_one_that_leaves_and_another_that_comes_are_two():
    graph = Graph()
    graph.subscriptions = [Endpoint('/t', RELIABLE)]
    graph.come('/t', BEST_EFFORT)
    graph.look(2)
    graph.peers.clear()
    graph.look()
    graph.come('/t', BEST_EFFORT)
    graph.look(2)
    assert len(graph.warnings) == 2


def test_one_whose_node_is_known_late_is_told_of_by_name():
    graph = Graph()
    graph.subscriptions = [Endpoint('/t', RELIABLE)]
    peer = graph.come('/t', BEST_EFFORT, '_NODE_NAME_UNKNOWN_')
    graph.look()
    peer.node_name = 'detector'
    graph.look()
    assert 'of node detector' in graph.warnings[0]


def test_one_without_a_name_is_told_of_too():
    graph = Graph()
    graph.subscriptions = [Endpoint('/t', RELIABLE)]
    graph.come('/t', BEST_EFFORT, '_NODE_NAME_UNKNOWN_')
    graph.look(2)
    assert 'a publisher on /t: best effort' in graph.warnings[0]


def test_one_that_fits_another_endpoint_of_the_node_is_no_misfit():
    graph = Graph()
    graph.subscriptions = [Endpoint('/t', RELIABLE), Endpoint('/t', BEST_EFFORT, matched=1)]
    graph.come('/t', BEST_EFFORT)
    graph.look(3)
    assert graph.warnings == []


def test_where_all_are_matched_no_more_than_numbers_are_asked_for():
    graph = Graph()
    graph.subscriptions = [Endpoint('/t', RELIABLE, matched=1)]
    graph.publishers = [Endpoint('/u', RELIABLE)]
    graph.come('/t', RELIABLE)
    graph.look(3)
    assert graph.asked == 0
