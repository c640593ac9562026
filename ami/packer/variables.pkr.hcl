# What `packer build` is told: nothing of it is looked up, so that one set of values gives one image.

variable "name" {
  type        = string
  description = "Which image this is: runner-x64, runner-arm64, gateway-x64 or gateway-arm64."
  validation {
    condition     = contains(["runner-x64", "runner-arm64", "gateway-x64", "gateway-arm64"], var.name)
    error_message = "There is no image of this name: runner-x64, runner-arm64, gateway-x64, gateway-arm64."
  }
}

variable "disk" {
  type        = string
  description = "The disk that `bun run image build` made, compressed with zstd."
}

variable "disk_sha256" {
  type        = string
  description = "Checksum of the disk before it was compressed, as `bun run image build` printed it."
  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.disk_sha256))
    error_message = "A checksum is 64 hex digits in lower case."
  }
}

variable "disk_bytes" {
  type        = number
  description = "Size of the disk before it was compressed."
}

variable "volume_gib" {
  type        = number
  description = "Size of the image's volume; machines grow their root to what their launch template says."
  default     = 8
}

variable "runner_version" {
  type        = string
  description = "The actions runner in the image; none in a gateway's."
  default     = "none"
}

variable "commit" {
  type        = string
  description = "The commit that the image was built from."
  validation {
    condition     = can(regex("^[0-9a-f]{40}$", var.commit))
    error_message = "A commit is 40 hex digits in lower case."
  }
}

variable "region" {
  type        = string
  description = "Where the volume is written."
}

variable "writer_ami" {
  type        = string
  description = "Image of the machine that writes the volume, by its id: any Linux with zstd. It is of the architecture of the image."
  validation {
    condition     = can(regex("^ami-[0-9a-f]{8,17}$", var.writer_ami))
    error_message = "Name the writer's image by its id, such as ami-0123456789abcdef0: a name or a filter would be a moving target."
  }
}

variable "writer_user" {
  type        = string
  description = "Who may log in to the writer by SSH and use sudo."
  default     = "ubuntu"
}

variable "subnet_id" {
  type        = string
  description = "A subnet with a way out, for the writer; left out: the default VPC's."
  default     = null
}
