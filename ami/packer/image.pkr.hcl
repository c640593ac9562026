# Publishes a disk as an AMI: a machine that lives for minutes writes the very bytes that were built, and reads them back.
# The same for runners and gateways and for both architectures: packer build -var-file=runner-x64.pkrvars.hcl .

locals {
  is_arm64 = can(regex("-arm64$", var.name))
  tags = {
    "Name"           = "mayfly-${var.name}"
    "mayfly:name"    = var.name
    "mayfly:image"   = "approved"
    "mayfly:runner"  = var.runner_version
    "mayfly:commit"  = var.commit
    "mayfly:digest"  = var.disk_sha256
    "mayfly:version" = jsondecode(file("${path.root}/../../package.json")).version
  }
}

source "amazon-ebssurrogate" "disk" {
  region        = var.region
  instance_type = local.is_arm64 ? "c7g.large" : "c7i.large"
  source_ami    = var.writer_ami
  subnet_id     = var.subnet_id
  ssh_username  = var.writer_user
  # Nobody but the machine that runs packer may log in, and only with a key of this build.
  ssh_interface                             = "public_ip"
  associate_public_ip_address               = true
  temporary_security_group_source_public_ip = true
  temporary_key_pair_type                   = "ed25519"
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
  # Whatever becomes of the machine that runs packer, this one ends by itself: no earlier than the workflow's job.
  user_data         = "#!/bin/sh\nshutdown -P +55\n"
  shutdown_behavior = "terminate"
  run_tags          = merge(local.tags, { "mayfly:image" = "being-written" })
  run_volume_tags   = { "mayfly:image" = "being-written" }

  launch_block_device_mappings {
    device_name           = "/dev/sdf"
    volume_size           = var.volume_gib
    volume_type           = "gp3"
    throughput            = 500
    delete_on_termination = true
    omit_from_artifact    = false
  }

  ami_name         = "mayfly-${var.name}-${substr(var.disk_sha256, 0, 12)}"
  ami_description  = "Mayfly ${var.name}, commit ${var.commit}, disk sha256 ${var.disk_sha256}"
  ami_architecture = local.is_arm64 ? "arm64" : "x86_64"
  # The disk has an ESP with one unified kernel image and no boot loader for BIOS.
  boot_mode               = "uefi"
  ena_support             = true
  imds_support            = "v2.0"
  ami_virtualization_type = "hvm"
  ami_root_device {
    source_device_name    = "/dev/sdf"
    device_name           = "/dev/sda1"
    volume_size           = var.volume_gib
    volume_type           = "gp3"
    delete_on_termination = true
  }
  tags          = local.tags
  snapshot_tags = local.tags
}

build {
  name    = "image"
  sources = ["source.amazon-ebssurrogate.disk"]

  provisioner "file" {
    source      = var.disk
    destination = "/tmp/disk.raw.zst"
  }

  provisioner "shell" {
    script          = "${path.root}/write-disk.sh"
    execute_command = "chmod +x {{ .Path }}; sudo env {{ .Vars }} {{ .Path }}"
    environment_vars = [
      "DISK=/tmp/disk.raw.zst",
      "DISK_BYTES=${var.disk_bytes}",
      "DISK_SHA256=${var.disk_sha256}",
      "VOLUME_GIB=${var.volume_gib}",
    ]
  }

  post-processor "manifest" {
    output     = "dist/image-${var.name}.json"
    strip_path = true
    custom_data = {
      name   = var.name
      commit = var.commit
      digest = var.disk_sha256
      runner = var.runner_version
    }
  }
}
