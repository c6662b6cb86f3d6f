//! The operations, one file each.

pub(super) mod batch;
pub(super) mod container;
pub(super) mod copy_blob;
pub(super) mod data_lake;
pub(super) mod delete_blob;
pub(super) mod get_blob;
pub(super) mod get_block_list;
pub(super) mod lease_blob;
pub(super) mod list_blobs;
pub(super) mod list_containers;
pub(super) mod put_blob;
pub(super) mod put_block;
pub(super) mod put_block_list;
pub(super) mod service;
pub(super) mod set_blob;
pub(super) mod source;
