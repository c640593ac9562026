"""moto's server, with some gaps of its CloudFormation closed: what our templates need and CloudFormation does.

Fn::Cidr; Fn::GetAZs of a region that is referred to; outputs of nested stacks; AWS::NoValue in lists; change sets that see what a mapping or a parameter changes; their
outputs; nested stacks changed in place; instances of launch templates; a subnet's
zone; the value of an SSM parameter kept apart from its name; names for what moto does not
make. Everything else is moto's own.
"""

from ipaddress import ip_network
from itertools import islice

from moto.cloudformation import models, parsing
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import Instance
from moto.ec2.models.subnets import Subnet
from moto.server import main

clean_by_moto = parsing.clean_json


def skipped(name, resources):
    """Whether moto makes nothing of this resource, though the template asks for it."""
    # Conditions are asked of parameters and mappings alone.
    asked = getattr(resources, "_resource_json_map", {}).get(name)
    if not asked or ("Condition" in asked and not resources.lazy_condition_map[asked["Condition"]]):
        return False
    return asked["Type"] not in parsing.get_model_map()


def clean_json(node, resources):
    if isinstance(node, dict) and "Ref" in node and skipped(node["Ref"], resources):
        return f"skipped-{node['Ref']}"
    if isinstance(node, dict) and "Fn::GetAtt" in node and skipped(node["Fn::GetAtt"][0], resources):
        return f"skipped-{'-'.join(node['Fn::GetAtt'])}"
    if isinstance(node, list):
        return [value for value in (clean_json(part, resources) for part in node) if value is not None]
    if isinstance(node, dict) and "Fn::Cidr" in node:
        block, count, bits = clean_json(node["Fn::Cidr"], resources)
        return [str(part) for part in islice(ip_network(block).subnets(new_prefix=32 - int(bits)), int(count))]
    if isinstance(node, dict) and "Fn::GetAZs" in node:
        region = clean_json(node["Fn::GetAZs"], resources) or resources["AWS::Region"]
        return [f"{region}{zone}" for zone in "abc"]
    if isinstance(node, dict) and "Fn::GetAtt" in node and node["Fn::GetAtt"][1] == "Outputs":
        stack = resources[node["Fn::GetAtt"][0]]
        return stack.output_map[node["Fn::GetAtt"][2]].value if isinstance(stack, models.Stack) else f"<{'.'.join(node['Fn::GetAtt'])}>"
    return clean_by_moto(node, resources)


class Unmade:
    """A resource that is not there yet, where only what a template comes to is asked for."""

    def __init__(self, name):
        self.physical_resource_id = f"<{name}>"

    def get_cfn_attribute(self, attribute):
        return f"<{self.physical_resource_id}.{attribute}>"


class DryMap(parsing.ResourceMap):
    """What a template comes to, without making anything."""

    def __getitem__(self, key):
        return self._parsed_resources.get(key) or (Unmade(key) if key in self._resource_json_map else self._parsed_resources[key])


def map_of(resources, template, parameters):
    made = {name: one for name, one in resources._parsed_resources.items() if name in resources._resource_json_map}
    names = (resources.stack_id, resources["AWS::StackName"], parameters, resources.tags, resources._region_name, resources._account_id)
    dry = DryMap(*names, template, resources.cross_stack_resources)
    dry.load()
    dry._parsed_resources = {**made, **dry._parsed_resources}
    return dry


def wanted(resources):
    """What each resource that a template asks for comes to."""
    asked = resources._resource_json_map.items()
    holds = resources.lazy_condition_map if resources._template else {}
    there = {name: {"Properties": {}, **one} for name, one in asked if "Condition" not in one or holds[one["Condition"]]}
    return {name: comes_to(one, resources) for name, one in there.items()}


def comes_to(resource, resources):
    try:
        return clean_json(resource, resources)
    except IndexError:  # A part of a list that is not known before something is made.
        return resource


def build_resource_diff(self, other_template, parameters=None):
    old = wanted(map_of(self, self._template, self.input_parameters)) if self._template else {}
    new = wanted(map_of(self, other_template, parameters or self.input_parameters))
    return {
        "Add": [name for name in new if name not in old],
        "Modify": [name for name in new if name in old and new[name] != old[name]],
        "Remove": [name for name in old if name not in new],
    }


def change_set_diff(self):
    found = self.stack.resource_map.build_resource_diff(self.template_dict, self.parameters)
    after = self.template_dict["Resources"]
    before = self.stack.resource_map._resource_json_map
    return [models.Change(action, name, (after.get(name) or before[name])["Type"]) for action, names in found.items() for name in names]


create_by_moto = models.CloudFormationBackend.create_change_set
execute_by_moto = models.CloudFormationBackend.execute_change_set


def create_change_set(self, **asked):
    # A stack that waits for review is nothing yet, and another change set may make it.
    for one in [one for one in self.stacks.values() if (one.name, one.status) == (asked["stack_name"], "REVIEW_IN_PROGRESS")]:
        del self.stacks[one.stack_id]
    change_set_id, stack_id = create_by_moto(self, **asked)
    made = self.change_sets[change_set_id]
    if made.change_set_type == "UPDATE" and not made.changes:
        made.status, made.execution_status = "FAILED", "UNAVAILABLE"
        made.status_reason = "The submitted information didn't contain changes. Submit different information to create a change set."
    return change_set_id, stack_id


def execute_change_set(self, **asked):
    execute_by_moto(self, **asked)
    change_set = self.describe_change_set(asked["change_set_name"])
    stack = change_set.stack
    stack.parameters = change_set.parameters
    stack._parse_template()
    stack.output_map = stack._create_output_map_of_now()


def output_map_of_now(self):
    return parsing.OutputMap(self.resource_map, self.template_dict, self.stack_id)


def given_parameters(self):
    """Values as they were given; moto has what an SSM parameter's name leads to."""
    declared = self.template_dict.get("Parameters", {})
    return {name: str(self.parameters.get(name, one.get("Default"))) for name, one in declared.items()}


def parameter_list(self):
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in given_parameters(self).items()]


def update_nested(cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name):
    asked = cloudformation_json["Properties"]
    text = models.get_stack_from_s3_url(asked["TemplateURL"], account_id=account_id, partition="aws")
    original_resource.update(text, parameters=asked.get("Parameters", {}))
    original_resource.output_map = original_resource._create_output_map_of_now()
    return original_resource


attribute_by_moto = Subnet.get_cfn_attribute


def subnet_attribute(self, name):
    return self.availability_zone if name == "AvailabilityZone" else attribute_by_moto(self, name)


instance_by_moto = Instance.create_from_cloudformation_json


def instance_of_template(cls, resource_name, cloudformation_json, account_id, region_name, **about):
    asked = cloudformation_json["Properties"]
    template = ec2_backends[account_id][region_name]._get_template_from_args(asked["LaunchTemplate"]).data
    properties = {"ImageId": template["ImageId"], "InstanceType": template["InstanceType"], **asked}
    return instance_by_moto(resource_name, {"Properties": properties}, account_id, region_name, **about)


Subnet.get_cfn_attribute = subnet_attribute
Instance.create_from_cloudformation_json = classmethod(instance_of_template)
parsing.clean_json = clean_json
parsing.ResourceMap.build_resource_diff = build_resource_diff
models.ChangeSet.diff = change_set_diff
models.CloudFormationBackend.create_change_set = create_change_set
models.CloudFormationBackend.execute_change_set = execute_change_set
models.Stack._create_output_map_of_now = output_map_of_now
models.Stack.stack_parameters = property(given_parameters)
models.Stack.parameter_list = property(parameter_list)
models.Stack.update_from_cloudformation_json = classmethod(update_nested)

if __name__ == "__main__":
    main()
