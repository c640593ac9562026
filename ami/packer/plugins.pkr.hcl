packer {
  required_version = ">= 1.11.0"
  required_plugins {
    # 1.8.1 broke surrogate builds for others: raise it only with a build that was tried.
    amazon = {
      source  = "github.com/hashicorp/amazon"
      version = "= 1.8.0"
    }
  }
}
