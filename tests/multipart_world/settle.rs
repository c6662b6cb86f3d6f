//! After the storm: whatever is left half-way is taken to its end, and nothing is left behind.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bluebucket::object::{ContainerName, Timestamp};
use bluebucket::state::StateStore;

use super::journal::Outcome;
use super::operations::{abort, complete, get};
use super::{STATE, World};

const DAY: Duration = Duration::from_secs(86_400);

pub async fn settle(world: &Arc<World>) -> Result<(), String> {
    let replica = world.replica();
    if world.chance(0.5) {
        let later = Timestamp(Timestamp::now().0 + 400);
        let swept = replica.bucket.sweep_uploads(later, None).await;
        let swept = swept.map_err(|error| format!("the sweep failed: {error}"))?;
        if swept.failed > 0 {
            return Err(format!("the sweep left {swept:?}"));
        }
    }
    get(world, &replica).await;
    let uploads = world.journal().uploads.len();
    for index in 0..uploads {
        let (acknowledged, list) = {
            let journal = world.journal();
            let upload = &journal.uploads[index];
            (upload.acknowledged().is_some(), upload.winner().unwrap_or(0))
        };
        let again = acknowledged || world.chance(0.7);
        let told = if again { Some(complete(world, &replica, index, list).await) } else { None };
        match told {
            Some(Outcome::Done(_)) => {}
            Some(other) if acknowledged => {
                return Err(format!("the repeated Complete of upload {index} answered {other:?}"));
            }
            _ => match abort(world, &replica, index).await {
                Outcome::Done(_) | Outcome::NoSuchUpload => {}
                other => return Err(format!("abort of upload {index} answered {other:?}")),
            },
        }
    }
    get(world, &replica).await;
    nothing_is_left(world).await?;
    get(world, &world.replica()).await;
    Ok(())
}

async fn nothing_is_left(world: &Arc<World>) -> Result<(), String> {
    let bucket = &world.replica().bucket;
    let client = replica_state(world);
    // A marker whose creation nobody was told of is an upload that nobody knows, and left to the sweeper.
    let known: Vec<_> = world.journal().uploads.iter().map(|upload| upload.id.to_string()).collect();
    let names_left = names(&client).await?;
    let left = names_left.iter().filter(|name| name.starts_with("upload!"));
    let left: Vec<_> = left.filter(|name| known.iter().any(|id| name.ends_with(id.as_str()))).collect();
    if !left.is_empty() {
        return Err(format!("markers of finished uploads are left: {left:?}"));
    }
    let later = Timestamp(Timestamp::now().0 + 2 * DAY.as_secs() as i64);
    bucket.sweep_uploads(later, Some(DAY)).await.map_err(|error| format!("the last sweep failed: {error}"))?;
    let live: HashSet<_> = bucket.live_uploads().await.map_err(|error| error.to_string())?;
    bucket.sweep_orphan_parts(later, &live).await.map_err(|error| error.to_string())?;
    let rest = names(&client).await?;
    if rest.is_empty() { Ok(()) } else { Err(format!("left behind: {rest:?}")) }
}

fn replica_state(world: &World) -> StateStore {
    StateStore::new(world.client.clone(), ContainerName::new(STATE).unwrap())
}

async fn names(state: &StateStore) -> Result<Vec<String>, String> {
    let (records, _) = state.list("", None).await.map_err(|error| format!("cannot list the state: {error}"))?;
    Ok(records.into_iter().map(|record| record.name).collect())
}
